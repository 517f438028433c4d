// The decision boundary of a network of two inputs: its forward pass is run all over the plane.
import { h, numberText, s } from "./words.js";
import { mark } from "./marks.js";

const SIDE = 340, LEFT = 64, TOP = 6, RIGHT = 8, BOTTOM = 36, WIDE = SIDE - LEFT - RIGHT, HIGH = SIDE - TOP - BOTTOM;
const FINE = 4; // pixels between two points that the network is asked for
const BUDGET = 1.2e6; // edges in one drawing

export class Boundary {
  constructor(app, data) {
    this.app = app;
    this.data = data;
    const [left, right, low, high] = data.box;
    this.x = (number) => LEFT + ((number - left) / (right - left)) * WIDE;
    this.y = (number) => TOP + ((high - number) / (high - low)) * HIGH;
    const [across, up] = data.inputs, { units } = app;
    this.ownBox = [units.own(across, left), units.own(across, right), units.own(up, low), units.own(up, high)];
    this.nodes = app.graph.between(data.inputs, data.outputs);
    const edges = this.nodes.reduce((sum, node) => sum + app.graph.arity(node), 1);
    this.cells = Math.max(12, Math.min(64, Math.floor(Math.sqrt(BUDGET / edges)) - 1));
    this.canvas = h("canvas", { width: FINE * this.cells, height: FINE * this.cells });
    Object.assign(this.canvas.style, { left: part(LEFT), top: part(TOP), width: part(WIDE), height: part(HIGH) });
    this.line = s("path", { class: "contour" });
    this.here = s("circle", { r: 6, class: "here" });
    this.svg = s("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, role: "img" }, this.axes(),
      data.points.map(([x, y, target]) => mark(target, this.x(x), this.y(y), data.colors[target])), this.line, this.here);
    this.caption = h("figcaption");
    this.section = h("section", {}, h("h3", {}, "Decision boundary"),
      h("figure", {}, h("div", { class: "plane" }, this.canvas, this.svg), this.key(), this.caption));
  }

  axes() {
    const { units } = this.app, [left, right, low, high] = this.ownBox, [across, up] = this.data.names, bottom = TOP + HIGH, middle = TOP + HIGH / 2;
    const x = (own) => this.x(units.normalized(this.data.inputs[0], own)), y = (own) => this.y(units.normalized(this.data.inputs[1], own));
    return [
      s("rect", { x: LEFT, y: TOP, width: WIDE, height: HIGH, class: "frame" }),
      ...ticks(left, right).map((at) => [s("path", { d: `M${x(at)} ${bottom}v4`, class: "frame" }), s("text", { x: x(at), y: bottom + 15, class: "middle" }, numberText(at, 6))]).flat(),
      ...ticks(low, high).map((at) => [s("path", { d: `M${LEFT} ${y(at)}h-4`, class: "frame" }), s("text", { x: LEFT - 7, y: y(at) + 4, class: "end" }, numberText(at, 6))]).flat(),
      s("text", { x: LEFT + WIDE / 2, y: SIDE - 5, class: "middle name" }, across),
      s("text", { x: 11, y: middle, transform: `rotate(-90 11 ${middle})`, class: "middle name" }, up),
    ];
  }

  key() {
    const icon = (...shapes) => s("svg", { width: 14, height: 14, viewBox: "-7 -7 14 14", "aria-hidden": "true" }, shapes);
    const { classes, colors, left } = this.data;
    return h("ul", { class: "legend" },
      classes.map((name, i) => h("li", {}, icon(mark(i, 0, 0, colors[i], 5)), `class ${name}`)),
      h("li", {}, icon(s("circle", { r: 5, class: "here" })), "the row of this page"),
      h("li", {}, icon(s("path", { d: "M-7 0h14", class: "contour" })), classes.length > 2 ? "two classes level" : "both classes at 0.5"),
      left ? h("li", {}, `${left.toLocaleString("en")} more points are not drawn`) : null);
  }

  // A score for each class, the largest of which decides; the softmax of them is how sure the network is.
  scores(value) {
    const outputs = this.data.outputs.map((node) => value[node]);
    if (outputs.length > 1) return outputs;
    const p = Math.min(1 - 1e-9, Math.max(1e-9, outputs[0]));
    return [0, this.data.isProbability ? Math.log(p / (1 - p)) : outputs[0]];
  }

  update() {
    if (this.drawn === this.app.graph.gradient || this.section.parentElement.hidden) return; // no pass since, or not seen
    this.drawn = this.app.graph.gradient;
    const { data, app } = this, [left, right, low, high] = data.box, shares = this.paint(this.field());
    const [x, y] = data.inputs.map((node) => app.graph.value[node]), inside = x >= left && x <= right && y >= low && y <= high;
    this.here.setAttribute("cx", inside ? this.x(x) : -99);
    this.here.setAttribute("cy", inside ? this.y(y) : -99);
    const ends = this.ownBox.map((number) => numberText(number, 6));
    const text = shares.map((share, i) => `class ${data.classes[i]} on ${Math.round(100 * share)} %`).join(", ");
    this.caption.textContent = `By area: ${text}. The stronger the tint, the surer.${inside ? "" : " The row of this page is outside."}`;
    this.svg.setAttribute("aria-label", `Decision boundary over ${data.names[0]} from ${ends[0]} to ${ends[1]} and ${data.names[1]} from ${ends[2]} to ${ends[3]}; by area: ${text}`);
  }

  // The scores at the corners of all cells, row by row from the top.
  field() {
    const { data, cells } = this, [left, right, low, high] = data.box, value = this.app.graph.value.slice(), field = [];
    for (let row = 0; row <= cells; row++) {
      for (let column = 0; column <= cells; column++) {
        value[data.inputs[0]] = left + ((right - left) * column) / cells;
        value[data.inputs[1]] = high - ((high - low) * row) / cells;
        this.app.graph.forward(this.nodes, value);
        field.push(this.scores(value));
      }
    }
    return field;
  }

  // Tint the plane, interpolating between the corners, and draw the line where a class takes the lead.
  paint(field) {
    const { cells, canvas, data } = this, count = data.colors.length, side = FINE * cells, across = cells + 1;
    const colors = data.colors.map((color) => [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16)));
    const image = new ImageData(side, side), areas = data.colors.map(() => 0), score = new Float64Array(count);
    for (let row = 0, pixel = 0; row < side; row++) {
      const top = Math.floor(row / FINE), down = (row % FINE + 0.5) / FINE;
      for (let column = 0; column < side; column++, pixel += 4) {
        const at = top * across + Math.floor(column / FINE), right = (column % FINE + 0.5) / FINE;
        const a = field[at], b = field[at + 1], c = field[at + across], d = field[at + across + 1];
        let best = 0, sum = 0;
        for (let i = 0; i < count; i++) {
          score[i] = (1 - down) * ((1 - right) * a[i] + right * b[i]) + down * ((1 - right) * c[i] + right * d[i]);
          if (score[i] > score[best]) best = i;
        }
        for (let i = 0; i < count; i++) sum += Math.exp(score[i] - score[best]);
        areas[best] += 1 / side ** 2;
        image.data.set(colors[best], pixel);
        image.data[pixel + 3] = sum === sum ? 255 * (0.1 + (0.42 * (1 / sum - 1 / count)) / (1 - 1 / count)) : 0;
      }
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
    const leads = [...Array(count > 2 ? count : 1).keys()].map((i) => field.map((scores) => scores[i] - Math.max(...scores.filter((_, k) => k !== i))));
    this.line.setAttribute("d", leads.map((lead) => contour(lead, cells)).join(""));
    return areas;
  }
}

function part(length) { return `${(100 * length) / SIDE}%`; }

// Round numbers between two: 1, 2 or 5 times a power of ten apart.
function ticks(low, high, most = 6) {
  const power = 10 ** Math.floor(Math.log10((high - low) / most)), step = power * [1, 2, 5, 10].find((times) => (high - low) / (times * power) <= most);
  return Array.from({ length: Math.floor(high / step) - Math.ceil(low / step) + 1 }, (_, i) => Number(((Math.ceil(low / step) + i) * step).toPrecision(12)));
}

// Where numbers at the corners of cells pass through 0: a line across each cell of two triangles.
function contour(lead, cells) {
  const place = (i) => [LEFT + ((i % (cells + 1)) / cells) * WIDE, TOP + (Math.floor(i / (cells + 1)) / cells) * HIGH];
  const crossing = (i, k) => {
    const share = lead[i] / (lead[i] - lead[k]), [x, y] = place(i), [u, v] = place(k);
    return `${(x + share * (u - x)).toFixed(1)} ${(y + share * (v - y)).toFixed(1)}`;
  };
  let path = "";
  for (let row = 0; row < cells; row++) {
    for (let column = 0; column < cells; column++) {
      const a = row * (cells + 1) + column, b = a + 1, c = a + cells + 1, d = c + 1;
      for (const [i, j, k] of [[a, b, d], [a, c, d]]) {
        const cut = [[i, j], [j, k], [i, k]].filter(([from, to]) => (lead[from] > 0) !== (lead[to] > 0));
        if (cut.length) path += `M${crossing(...cut[0])}L${crossing(...cut[1])}`;
      }
    }
  }
  return path;
}
