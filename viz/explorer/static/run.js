// A training run: a slider over its checkpoints, the decision boundary that follows it, and the learning curves.
import { h, numberText, percentText, plural, s } from "./words.js";
import { answer } from "./answer.js";
import { unpack } from "./engine.js";

const WIDE = 320, HIGH = 120, LEFT = 44, BOTTOM = 18, TOP = 8;

export class Run {
  constructor(host, app, data) {
    this.app = app;
    this.data = data;
    this.numbers = unpack(data.numbers, Float64Array);
    this.slider = h("input", { id: "epoch", type: "range", min: 0, max: data.epochs.length - 1, value: data.epochs.length - 1, step: 1, list: data.best ? "epochs" : null, oninput: () => this.go(Number(this.slider.value)) });
    const best = data.epochs.indexOf(data.best);
    const told = h("p", { class: "quiet" }, data.best && `Best on validation, and what evaluate and predict use: epoch ${data.best}${best < 0 ? ", which was not kept. " : ". "}`,
      best < 0 ? null : h("button", { class: "link", id: "best", type: "button", onclick: () => this.go(best) }, "Go to it"));
    this.output = h("output", { for: "epoch" });
    this.answer = h("div");
    this.curves = data.curves.map((curve) => this.curve(curve));
    host.append(h("h2", {}, "Training"), h("p", {}, data.row[0], " ", h("span", { class: "quiet" }, data.row[1])), h("label", { for: "epoch" }, "Checkpoint "), this.output, h("div", {}, this.slider), h("datalist", { id: "epochs" }, best < 0 ? null : h("option", { value: best })), data.best ? told : "",
      data.note ? h("p", { class: "note" }, data.note) : "", app.units.known ? h("p", { class: "note" }, app.units.note) : "", this.answer, app.boundary?.section ?? "", ...this.curves.map(({ figure }) => figure));
    this.mark(data.epochs.length - 1);
  }

  update() { this.answer.replaceChildren(answer(this.app) ?? ""); }

  // When a leaf had the number that it goes back to.
  when(leaf) { return this.data.leaves.includes(leaf) ? this.output.textContent : "in Python"; }

  go(place) {
    const { leaves } = this.data;
    leaves.forEach((leaf, i) => { this.app.graph.recorded[leaf] = this.numbers[place * leaves.length + i]; });
    this.moved = place === this.data.epochs.length - 1 ? [] : leaves;
    this.mark(place);
    this.app.compute();
  }

  mark(place) {
    const epoch = this.data.epochs[place];
    this.slider.value = place;
    this.output.textContent = epoch === 0 ? "before training" : `after epoch ${numberText(epoch)}${epoch === this.data.best ? ", the best on validation" : ""}`;
    this.slider.setAttribute("aria-valuetext", this.output.textContent);
    if (this.data.title) {
      document.title = `${this.data.title}, ${epoch === 0 ? "before training" : `after ${plural(epoch, "epoch")}`}`;
      document.querySelector("h1").textContent = document.title;
    }
    for (const { now, x } of this.curves) {
      now.setAttribute("x1", x(epoch));
      now.setAttribute("x2", x(epoch));
    }
  }

  curve({ title, lines }) {
    const all = lines.flatMap((line) => line.numbers).filter(Number.isFinite), count = lines[0].numbers.length;
    const low = Math.min(0, ...all), high = Math.max(low + 1e-12, ...all);
    const x = (epoch) => LEFT + ((WIDE - LEFT - 8) * epoch) / Math.max(1, count);
    const y = (number) => TOP + ((high - number) / (high - low)) * (HIGH - TOP - BOTTOM);
    const text = title.endsWith("accuracy") ? percentText : (number) => numberText(number, 3);
    const { best } = this.data, end = best > count / 2;
    const star = best ? [s("line", { x1: x(best), x2: x(best), y1: TOP, y2: HIGH - BOTTOM, class: "best" }), s("text", { x: x(best) + (end ? -4 : 4), y: TOP + 10, class: end ? "end" : null }, "best")] : [];
    const now = s("line", { y1: TOP, y2: HIGH - BOTTOM, class: "now" });
    const svg = s("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, class: "curve", role: "img", "aria-label": `${title} over ${count} epochs: ${lines.map((line) => `${line.name} from ${text(line.numbers[0])} to ${text(line.numbers[count - 1])}`).join(", ")}${best ? `; best on validation: epoch ${best}` : ""}` },
      [low, high].map((at) => [s("line", { x1: LEFT, x2: WIDE - 8, y1: y(at), y2: y(at), class: "grid" }), s("text", { x: LEFT - 6, y: y(at) + 4, class: "end" }, text(at))]).flat(),
      s("text", { x: LEFT, y: HIGH - 4 }, "0"), s("text", { x: WIDE - 8, y: HIGH - 4, class: "end" }, `epoch ${count}`),
      lines.map(({ numbers }, i) => s("polyline", { class: `line${i}`, points: numbers.map((number, epoch) => (Number.isFinite(number) ? `${x(epoch + 1).toFixed(1)},${y(number).toFixed(1)}` : "")).join(" ") })), star, now);
    const key = lines.map(({ name }, i) => h("span", { class: `key line${i}` }, name));
    return { now, x, figure: h("figure", {}, h("figcaption", {}, h("b", {}, title), " ", key), svg) };
  }
}
