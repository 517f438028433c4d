// What the network answers: its outputs as shares where they are a choice, beside the target.
import { bar, h, numberText, ownText, percentText, plural } from "./words.js";

const MOST = 20, SAID = 3;

export function answer(app) {
  const told = app.data.answer;
  if (!told) return null;
  const title = h("h3", {}, "What the network answers");
  if (told.outputs.some((node) => app.valueText(node) === "not computed")) return h("section", {}, title, h("p", { class: "quiet" }, "It is not computed yet where the slider stands."));
  const values = told.outputs.map((node) => app.graph.value[node]);
  return h("section", { class: "answer" }, title, told.kind === "numbers" ? numbers(app, told, values) : choice(app, told, values));
}

function shareText(share) { return share < 1e-4 ? "< 0.01 %" : percentText(share); }

// The answer in one line; none where there is none.
export function verdict(app) {
  const told = app.data.answer;
  if (!told || told.outputs.some((node) => app.valueText(node) === "not computed")) return null;
  const values = told.outputs.map((node) => app.graph.value[node]), { names, target } = told;
  if (told.kind !== "numbers") {
    const { shares, best } = sharesOf(told, values), share = (i) => `${names[i]} (${shareText(shares[i])})`;
    return best < 0 ? null : `The network answers ${share(best)}${target === null ? "" : best === target ? "; so is the target" : `; the target is ${share(target)}`}`;
  }
  const quantities = values.map((value, i) => [names[i], ownText(own(told, value, i))].filter(Boolean).join(" "));
  const targets = targetsOf(told);
  return `The network answers ${quantities.slice(0, SAID).join(", ")}${values.length > SAID ? ", …" : ""}${targets?.length === 1 ? `; the target is ${ownText(own(told, targets[0], 0))}` : ""}`;
}

function sharesOf({ kind }, values) {
  const logits = kind === "sigmoid" ? [0, values[0]] : values, most = Math.max(...logits);
  const parts = logits.map((logit) => Math.exp(logit - most)), sum = parts.reduce((total, part) => total + part, 0);
  return { shares: parts.map((part) => part / sum), best: logits.indexOf(most) };
}

// Normalized targets are told in the units that they have in the data.
function own({ units }, number, i) { return units ? number * units.scale[i] + units.mean[i] : number; }

function targetsOf({ target, outputs }) { return Array.isArray(target) && target.length === outputs.length ? target : null; }

function choice(app, told, values) {
  const { outputs, kind, names, target } = told, { shares, best } = sharesOf(told, values);
  const shown = [...names.keys()].sort((i, j) => (j === target) - (i === target) || shares[j] - shares[i] || i - j).slice(0, MOST).sort((i, j) => i - j);
  const mark = (i) => [i === best && "largest", i === target && "target"].filter(Boolean).join(", ");
  const logit = (node) => app.inspector.link(node, Infinity, app.valueText(node));
  const rows = shown.map((i) => h("tr", { class: i === best ? "here" : null },
    h("th", { scope: "row" }, names[i]),
    h("td", {}, kind === "softmax" ? logit(outputs[i]) : i ? logit(outputs[0]) : ""),
    h("td", {}, shareText(shares[i]), bar(shares[i], 60)), h("td", {}, mark(i))));
  return [
    best < 0 ? "" : h("p", { class: "formula" }, verdict(app)),
    h("table", { class: "bars" }, h("thead", {}, h("tr", {}, ["class", "logit", kind, "mark"].map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, rows)),
    names.length > MOST ? h("p", { class: "quiet" }, `and ${plural(names.length - MOST, "class", "classes")} more, the largest with ${shareText(Math.max(...shares.filter((_, i) => !shown.includes(i))))}`) : "",
  ];
}

// Plain numbers, and how far they are off.
function numbers(app, told, values) {
  const { outputs, names, units } = told, targets = targetsOf(told);
  const head = ["output", units ? "normalized" : "value", units && "own units", targets && "target", targets && "error"].filter(Boolean);
  const cell = (number) => h("td", {}, ownText(number));
  const rows = values.slice(0, MOST).map((value, i) => {
    const answered = own(told, value, i), meant = targets && own(told, targets[i], i);
    return h("tr", {}, h("th", { scope: "row" }, app.inspector.link(outputs[i], Infinity, names[i] || undefined)), h("td", {}, numberText(value)),
      units ? cell(answered) : null, ...(targets ? [cell(meant), cell(answered - meant)] : []));
  });
  return [values.length === 1 ? h("p", { class: "formula" }, verdict(app)) : "",
    h("table", {}, h("thead", {}, h("tr", {}, head.map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, rows)),
    values.length > MOST ? h("p", { class: "quiet" }, `and ${plural(values.length - MOST, "output")} more`) : ""];
}
