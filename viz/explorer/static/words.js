// Numbers and formulas as text, and elements made without any HTML: foreign text is only ever text.

export function numberText(x, digits = 4) {
  if (x === null || x === undefined) return "not computed";
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "−inf";
  if (x === 0) return "0";
  const exponent = Math.floor(Math.log10(Math.abs(x)));
  const text = exponent < -4 || exponent >= Math.max(digits, 6) ? x.toExponential(digits - 1) : x.toPrecision(Math.max(digits, exponent + 1));
  return text.replace(/(\.\d*?)0+(?=e|$)/, "$1").replace(/\.(?=e|$)/, "").replace("-", "−").replace("e-", "e−").replace("e+", "e");
}

// A quantity in the data's own units: 333,527.
export function ownText(x) { return numberText(x, 6).replace(/^−?\d+(?![\de])/, (digits) => digits.replace(/\B(?=(\d{3})+$)/g, ",")); }

export function factorText(x, digits) {
  const text = numberText(x, digits);
  return text.startsWith("−") ? `(${text})` : text;
}

export function percentText(share) {
  return Number.isFinite(share) ? `${numberText(100 * share, 3)} %` : "–";
}

export function plural(count, word, words = `${word}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? word : words}`;
}

// A text that is shorter: a name loses what is in front without a number, the longest words lose their ends, then all in
// front or the middle goes; no number loses a digit. The end of hidden.neuron7.w[9] is what tells it from the others.
export function cut(text, limit) {
  const parts = text.split(/\.(?=\p{L})/u);
  let shown = text;
  const dropped = () => { parts.shift(); return `…${parts.join(".")}`; };
  while (shown.length > limit && parts.length > 1 && !/\d/.test(parts[0])) shown = dropped();
  while (shown.length > limit) {
    const word = (shown.match(/\p{L}{4,}(?![\p{L}…])/gu) || []).reduce((best, one) => (one.length > best.length ? one : best), "");
    if (!word) break;
    shown = shown.replace(word, `${word.slice(0, Math.max(2, word.length - 1 - (shown.length - limit)))}…`);
  }
  while (shown.length > limit && parts.length > 1) shown = dropped();
  if (shown.length <= limit) return shown;
  const head = text.slice(0, Math.ceil(limit / 2) - 1), tail = text.slice(-Math.floor(limit / 2));
  const whole = `${head.replace(/\d[\d,.]*$/, "")}…${tail.replace(/^[\d,.]*\d/, "")}`;
  return whole.length > 3 ? whole : `${head}…${tail}`;
}

export class Words {
  constructor(graph) { this.graph = graph; }

  name(node) {
    return this.graph.names[node] || numberText(this.graph.value[node]);
  }

  short(node, limit = 18) {
    const name = this.name(node);
    return cut(name, limit);
  }

  // The operation in symbols: tanh(z), or a long sum with its ends.
  formula(node) {
    const told = this.graph.told(node), n = this.graph.arity(node);
    const name = (i) => enclosed(this.name(this.graph.argument(node, i)));
    if (told.formula) return filled(told.formula, (i) => name(Number(i)), this.name(node));
    if (told.op === "dot") return listed(n / 2, (i) => `${name(i)} · ${name(i + n / 2)}`, " + ");
    if (told.op === "sum") return listed(n, name, " + ");
    return `${told.symbol}(${listed(n, name, ", ")})`;
  }

  slope(node, argument) {
    const told = this.graph.told(node), n = this.graph.arity(node), y = this.name(node);
    const name = (i) => enclosed(this.name(this.graph.argument(node, i)));
    if (told.formula) return filled(told.slopes[argument], (i) => name(Number(i)), y);
    if (told.op === "dot") return name(argument < n / 2 ? argument + n / 2 : argument - n / 2);
    if (told.op === "sum") return "1";
    if (told.op === "mean") return `1 / ${n}`;
    if (told.op === "logsumexp") return `exp(${name(argument)} − ${y})`;
    return `∂${y}/∂${this.name(this.graph.argument(node, argument))}`;
  }

  derivative(node) {
    return `∂${this.name(this.graph.root)}/∂${this.name(node)}`;
  }
}

function enclosed(text) { return text.startsWith("−") ? `(${text})` : text; }

function filled(template, name, y) {
  return template.replace(/\{(\d|y)\}/g, (_, key) => (key === "y" ? y : name(key)));
}

function listed(n, text, between) {
  const shown = n <= 5 ? [...Array(n).keys()] : [0, 1, 2, -1, n - 1];
  return shown.map((i) => (i < 0 ? "…" : text(i))).join(between) || "0";
}

// h("button", {class: "x", onclick: f}, "text", child): an element; s() the same for SVG.
export function h(tag, properties = {}, ...children) {
  return made(document.createElement(tag), properties, children);
}

// A bar as long as a share from 0 to 1; the number stands beside it.
export function bar(share, width) {
  const long = Math.max(1, width * Math.min(1, Math.abs(share) || 0));
  return s("svg", { class: "bar-of", width, height: 8, "aria-hidden": "true" }, s("rect", { width, height: 8, rx: 2, class: "rail" }), s("rect", { width: long, height: 8, rx: 2, class: share < 0 ? "filled below" : "filled" }));
}

export function s(tag, properties = {}, ...children) {
  return made(document.createElementNS("http://www.w3.org/2000/svg", tag), properties, children);
}

function made(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}
