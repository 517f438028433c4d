// The slider through both passes, and the ledger of the edge that it stands at.
import { factorText, h, numberText, plural } from "./words.js";

const AROUND = 6, BEAT = 450, FASTEST = 16; // from there on, several steps at a time

export class Stepper {
  constructor(app, find) {
    this.app = app;
    this.slider = find("step");
    this.line = find("ledger-line");
    this.where = find("step-where");
    this.panel = find("panel-step");
    this.play = find("play");
    this.timer = null;
    this.slider.max = app.last;
    this.slider.addEventListener("input", () => app.moveTo(Number(this.slider.value)));
    const press = { "to-start": () => 0, "step-back": () => app.position - 1, "step-on": () => app.position + 1, "to-end": () => app.last };
    for (const [id, place] of Object.entries(press)) find(id).addEventListener("click", () => app.moveTo(place()));
    this.play.addEventListener("click", () => this.toggle());
    this.speed = find("speed");
    this.speed.addEventListener("change", () => { if (this.timer !== null) this.toggle(true); });
  }

  toggle(run = this.timer === null) {
    clearInterval(this.timer);
    this.timer = null;
    if (run) {
      const { app } = this, speed = Number(this.speed.value), by = Math.max(1, speed / FASTEST);
      if (app.position === app.last) app.moveTo(0);
      this.timer = setInterval(() => (app.position < app.last ? app.moveTo(app.position + by) : this.toggle(false)), (BEAT * by) / speed);
    }
    this.play.setAttribute("aria-pressed", String(run));
    this.play.setAttribute("aria-label", run ? "Pause" : "Play");
    this.play.textContent = run ? "❚❚" : "►";
  }

  update() {
    const { app } = this, { graph, words, position, forwards } = app;
    const now = app.stepping ? app.current() : null;
    this.slider.value = position;
    const back = position > forwards;
    this.where.textContent = back
      ? `backward ${(position - forwards).toLocaleString("en")} of ${graph.stepCount.toLocaleString("en")}`
      : `forward ${position.toLocaleString("en")} of ${forwards.toLocaleString("en")}`;
    let parts;
    if (!now) {
      const at = position === 0 ? "Nothing is computed yet. Step on with → or the slider." : `Both passes are done: ${plural(forwards, "operation")} forward, ${plural(graph.stepCount, "edge")} back. Move the slider to see them one by one.`;
      parts = [h("span", { class: "quiet" }, at)];
    } else if (now.parent === null) {
      parts = [h("b", {}, words.short(now.node)), h("span", { class: "quiet" }, ` = ${words.formula(now.node)} = `), h("b", {}, numberText(graph.value[now.node], 6))];
    } else {
      const { upstream, local, contribution, before, after } = now;
      parts = [
        h("span", { class: "quiet" }, `${words.short(now.node)} → ${words.short(now.parent)}`), " ",
        term("upstream", numberText(upstream, 6)), h("span", { class: "sign" }, "×"), term("local", factorText(local, 6)), h("span", { class: "sign" }, "="),
        term("contribution", numberText(contribution, 6)), h("span", { class: "sign" }, "→"),
        term(before === null ? "total so far" : `total so far, ${numberText(before)} before`, numberText(after, 6), "result"),
      ];
    }
    this.line.replaceChildren(...parts);
    this.slider.setAttribute("aria-valuetext", `${this.where.textContent}. ${this.line.textContent}`);
    this.ledger(now);
  }

  // All edges of the operation whose turn it is; of many, those around the current one.
  ledger(now) {
    const { app } = this, { graph, words } = app;
    if (!now) {
      this.panel.replaceChildren(h("h2", {}, "The step"), h("p", { class: "quiet" }, "Move the slider below the picture: forward, every operation is computed; backward, every edge hands a gradient on."));
      return;
    }
    const name = words.name(now.node);
    if (now.parent === null) {
      this.panel.replaceChildren(h("h2", {}, `Forward: ${name}`), h("p", { class: "formula" }, `${name} = ${words.formula(now.node)} = ${numberText(graph.value[now.node], 8)}`));
      return;
    }
    const edges = graph.edges(now.node), at = now.number - 1, from = Math.max(0, Math.min(at - AROUND, edges.length - 2 * AROUND - 1));
    const rows = edges.slice(from, from + 2 * AROUND + 1).map((edge, i) => {
      const place = from + i, done = place <= at, parent = graph.args[edge];
      return h("tr", { class: place === at ? "here" : done ? "" : "ahead", "aria-current": place === at ? "step" : null },
        h("th", { scope: "row" }, app.inspector.link(parent)),
        h("td", { title: words.slope(now.node, edge - graph.start[now.node]) }, numberText(graph.local[edge], 3)),
        h("td", {}, numberText(now.upstream * graph.local[edge], 3)),
        h("td", {}, done ? numberText(app.gradientState().gradient[parent], 3) : "–"));
    });
    this.panel.replaceChildren(
      h("h2", {}, `Backward: ${name}`),
      h("p", { class: "quiet" }, `edge ${now.number} of ${now.of}`),
      h("p", { class: "formula" }, `${words.derivative(now.parent)} += ${words.derivative(now.node)} × ${words.slope(now.node, now.argument)}`),
      h("dl", { class: "facts" }, h("div", {}, h("dt", {}, "upstream"), h("dd", {}, numberText(now.upstream, 8))), h("div", {}, h("dt", {}, "local"), h("dd", {}, numberText(now.local, 8))),
        h("div", {}, h("dt", {}, "contribution"), h("dd", {}, numberText(now.contribution, 8))), h("div", {}, h("dt", {}, "total so far"), h("dd", {}, numberText(now.after, 8)))),
      h("h3", {}, "Ledger"),
      h("table", {}, h("thead", {}, h("tr", {}, ...["to", "× local", "= part", "total"].map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, rows)),
      edges.length > rows.length ? h("p", { class: "quiet" }, `${rows.length} of ${edges.length} edges`) : "");
  }
}

function term(what, text, more = "") {
  return h("span", { class: `term ${more}` }, h("b", {}, text), h("small", {}, what));
}
