// Weights and gradients laid out as the image is, and the decision boundary of a network with two inputs.
import { h, numberText, s } from "./words.js";

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
      host.append(h("h2", {}, "As the input lies"), h("fieldset", { class: "row" }, h("legend", { class: "hidden" }, "What the maps show"), choose("value", "values"), choose("gradient", "gradients")),
        h("div", { class: "maps" }, this.maps.map((map) => map.figure)));
    }
    this.boundary = data.boundary ? new Boundary(host, app, data.boundary) : null;
  }

  grid({ title, nodes, columns, grey }) {
    const rows = Math.ceil(nodes.length / columns), side = Math.max(6, Math.min(CELL, Math.floor(320 / columns)));
    const cells = nodes.map((node, i) => s("rect", {
      x: (i % columns) * side, y: Math.floor(i / columns) * side, width: side - 1, height: side - 1, onclick: () => this.app.goTo(node),
    }, s("title")));
    const svg = s("svg", { width: columns * side, height: rows * side, role: "img" }, cells);
    const caption = h("figcaption");
    return { title, nodes, grey, cells, svg, caption, figure: h("figure", {}, svg, caption) };
  }

  update() {
    const { app } = this;
    for (const { title, nodes, grey, cells, svg, caption } of this.maps) {
      const values = this.what === "value", state = app.gradientState();
      const numbers = nodes.map((node) => (values ? app.graph.value[node] : state.reached[node] ? state.gradient[node] : NaN));
      const finite = numbers.filter(Number.isFinite), largest = Math.max(1e-300, ...finite.map(Math.abs));
      const pixels = values && grey;
      numbers.forEach((number, i) => {
        const share = pixels ? number / largest : (number / largest + 1) / 2;
        cells[i].setAttribute("fill", Number.isFinite(number) ? between(pixels ? this.data.greys : this.data.scale, share) : "none");
        cells[i].firstChild.textContent = `${app.words.name(nodes[i])} = ${numberText(number)}`;
      });
      const scale = finite.length ? (pixels ? `0 to ${numberText(largest, 3)}` : `±${numberText(largest, 3)}`) : "not computed";
      caption.textContent = `${title}, ${scale}`;
      svg.setAttribute("aria-label", `${title}: ${this.what}s of ${nodes.length} numbers, ${scale}`);
    }
    this.boundary?.update();
  }
}

// Where a network of two inputs changes its mind: its forward pass is run for every cell of the picture.
class Boundary {
  constructor(host, app, data) {
    this.app = app;
    this.data = data;
    this.nodes = app.graph.between(data.inputs, data.outputs);
    this.cells = Math.max(12, Math.min(72, Math.floor(Math.sqrt(3e6 / Math.max(1, this.nodes.length)))));
    this.canvas = h("canvas", { width: 648, height: 648, role: "img" });
    this.caption = h("figcaption");
    host.append(h("h2", {}, "Decision boundary"), h("figure", {}, this.canvas, this.caption));
  }

  answer(value) {
    const outputs = this.data.outputs.map((node) => value[node]);
    if (outputs.length === 1) {
      const p = this.data.isProbability ? Math.min(1, Math.max(0, outputs[0])) : 1 / (1 + Math.exp(-outputs[0]));
      return p > 0.5 ? [1, p] : [0, 1 - p];
    }
    const best = outputs.indexOf(Math.max(...outputs));
    return [best, 1 / outputs.reduce((sum, x) => sum + Math.exp(x - outputs[best]), 0)];
  }

  update() {
    if (this.drawn === this.app.graph.gradient) return; // no pass since then: only the step slider was moved
    this.drawn = this.app.graph.gradient;
    const { app, data, cells, canvas } = this, [left, right, low, high] = data.box, value = app.graph.value.slice();
    const pen = canvas.getContext("2d"), side = canvas.width / cells, counts = data.colors.map(() => 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    for (let row = 0; row < cells; row++) {
      for (let column = 0; column < cells; column++) {
        value[data.inputs[0]] = left + ((right - left) * (column + 0.5)) / cells;
        value[data.inputs[1]] = high - ((high - low) * (row + 0.5)) / cells;
        app.graph.forward(this.nodes, value);
        const [answer, share] = this.answer(value);
        counts[answer]++;
        pen.globalAlpha = Number.isFinite(share) ? 0.12 + 0.58 * share ** 2 : 0;
        pen.fillStyle = data.colors[answer];
        pen.fillRect(Math.floor(column * side), Math.floor(row * side), Math.ceil(side), Math.ceil(side));
      }
    }
    pen.globalAlpha = 1;
    const dot = (x, y, color, radius, ring) => {
      pen.beginPath();
      pen.arc(((x - left) / (right - left)) * canvas.width, ((high - y) / (high - low)) * canvas.height, radius, 0, 7);
      pen.fillStyle = color;
      pen.fill();
      pen.strokeStyle = ring;
      pen.lineWidth = radius / 3;
      pen.stroke();
    };
    for (const [x, y, target] of data.points) dot(x, y, data.colors[target], 6, "#ffffff");
    const [x, y] = data.inputs.map((node) => app.graph.value[node]);
    dot(x, y, "#ffffff", 10, "#111111");
    const shares = counts.map((count, i) => `class ${i} ${Math.round((100 * count) / cells ** 2)} %`).join(", ");
    this.caption.textContent = `${data.names[0]} to the right, ${data.names[1]} upwards; the white dot is the example. By area: ${shares}.`;
    canvas.setAttribute("aria-label", `Decision boundary, from ${numberText(left, 3)} to ${numberText(right, 3)} and ${numberText(low, 3)} to ${numberText(high, 3)}: ${shares}`);
  }
}
