// Weights, gradients and the parts of a sum laid out as the image is.
import { h, numberText, plural, s } from "./words.js";

const CELL = 22;

// A colour between the classes of a scale of `#rrggbb` texts; `share` runs from 0 to 1.
export function between(scale, share) {
  const place = Math.min(Math.max(share, 0), 1) * (scale.length - 1), low = Math.min(Math.floor(place), scale.length - 2);
  const channel = (color, i) => parseInt(color.slice(2 * i + 1, 2 * i + 3), 16);
  return `rgb(${[0, 1, 2].map((i) => Math.round(channel(scale[low], i) + (channel(scale[low + 1], i) - channel(scale[low], i)) * (place - low))).join(" ")})`;
}

export class Maps {
  constructor(host, app, data) {
    this.app = app;
    this.data = data;
    this.host = host;
    this.what = "value";
    this.maps = data.maps.map((map) => this.grid(map));
    if (this.maps.length) {
      const choose = (what, text) => h("label", {}, h("input", { type: "radio", name: "map", checked: what === this.what, onchange: () => { this.what = what; this.update(); } }), ` ${text}`);
      host.append(h("h2", {}, "As the input lies"), h("fieldset", { class: "row" }, h("legend", { class: "hidden" }, "What the maps show"), choose("value", "values"), choose("gradient", "gradients"), data.maps.some(({ times }) => times) ? choose("product", "weight × input") : null),
        h("p", { class: "quiet" }, "A click on a cell, or Enter, goes to its number, where you can change it."), app.units.known ? h("p", { class: "note" }, app.units.note) : "", h("div", { class: "maps" }, this.maps.map((map) => map.figure)), data.moreMaps ? h("p", { class: "quiet" }, `and ${plural(data.moreMaps, "map")} more`) : "");
    }
  }

  grid({ title, nodes, times, columns, grey }) {
    const rows = Math.ceil(nodes.length / columns), side = Math.max(6, Math.min(CELL, Math.floor(320 / columns)));
    const cells = nodes.map((node, i) => s("rect", {
      x: (i % columns) * side, y: Math.floor(i / columns) * side, width: side - 1, height: side - 1, role: "button", tabindex: i ? -1 : 0, onclick: () => this.app.goTo(node), onfocus: () => this.tell(map, i), onkeydown: (event) => this.key(event, map, i),
    }, s("title")));
    const own = nodes.every((node) => this.app.units.has(node));
    const svg = s("svg", { width: columns * side, height: rows * side, role: "group" }, cells);
    const caption = h("figcaption"), cell = h("div", { class: "cell quiet" });
    const map = { title: own ? `${title}, in the data's own units` : title, own, nodes, times, grey, columns, cells, svg, caption, cell, figure: h("figure", {}, svg, caption, cell) };
    return map;
  }

  // The keys of a cell: arrows to another one, Enter to its node.
  key(event, { cells, nodes, columns }, i) {
    const to = i + { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") { this.app.goTo(nodes[i]); this.app.inspector.focusEdit(); }
    else if (Number.isNaN(to)) return;
    else cells[to]?.focus();
    event.preventDefault();
    event.stopPropagation();
  }

  // A map has one cell that Tab stops at: where its reader has been.
  tell({ cells, cell }, i) {
    cells.forEach((one, k) => one.setAttribute("tabindex", k === i ? 0 : -1));
    cell.textContent = cells[i].firstChild.textContent;
  }

  update() {
    const { app } = this, { value } = app.graph, state = app.gradientState();
    for (const { title, own, nodes, times, grey, cells, svg, caption, cell } of this.maps) {
      const what = this.what === "product" && !times ? "value" : this.what, values = what === "value";
      const numbers = nodes.map((node, i) => (values ? app.units.own(node, value[node]) : what === "product" ? value[node] * value[times[i]] : state.reached[node] ? state.gradient[node] : NaN));
      const finite = numbers.filter(Number.isFinite), largest = Math.max(1e-300, ...finite.map(Math.abs));
      const pixels = values && grey && finite.every((number) => number >= -1e-9 * largest); // grey has no colour for less than 0, which a reader may have typed
      numbers.forEach((number, i) => {
        const share = pixels ? number / largest : (number / largest + 1) / 2;
        cells[i].setAttribute("fill", Number.isFinite(number) ? between(pixels ? this.data.greys : this.data.scale, share) : "none");
        const name = app.words.name(nodes[i]);
        cells[i].firstChild.textContent = `${what === "gradient" ? app.words.derivative(nodes[i]) : what === "product" ? `${name} × ${app.words.name(times[i])}` : name} = ${numberText(number)}${values && own ? ` in the data's own units, ${numberText(value[nodes[i]])} normalized` : ""}`;
      });
      const here = nodes.indexOf(app.selected);
      cells.forEach((one, i) => one.classList.toggle("selected", i === here));
      if (here >= 0) this.tell({ cells, cell }, here);
      else cell.textContent = cell.textContent && cells.find((one) => one.getAttribute("tabindex") === "0").firstChild.textContent;
      const scale = finite.length ? (pixels ? `0 to ${numberText(largest, 3)}` : `±${numberText(largest, 3)}`) : "not computed";
      const sum = what === "product" ? `, sum ${numberText(numbers.reduce((total, x) => total + x, 0))}` : "";
      caption.textContent = `${title}, ${scale}${sum}`;
      svg.setAttribute("aria-label", `${title}: ${what}s of ${nodes.length} numbers, ${scale}${sum}; arrow keys go from cell to cell`);
    }
  }
}
