// The explorer: what is selected, where the step slider stands, which picture is open; all parts are drawn from that.
import { table } from "./table.js";
import { verdict } from "./answer.js";
import { Boundary } from "./boundary.js";
import { Graph, unpack } from "./engine.js";
import { Groups } from "./groups.js";
import { Inspector } from "./inspector.js";
import { Maps } from "./maps.js";
import { Picture } from "./picture.js";
import { Run } from "./run.js";
import { Search } from "./search.js";
import { Stepper } from "./stepper.js";
import { Units } from "./units.js";
import { Words, h, numberText } from "./words.js";
import { listenToKeys, listenToTabs } from "./keys.js";

const find = (id) => document.getElementById(id);

class App {
  constructor(data) {
    this.data = data;
    this.graph = new Graph(data.graph, table);
    this.words = new Words(this.graph);
    this.groups = new Groups(data.groups, data.groupOf, this.graph);
    this.lines = data.graph.lines.of ? unpack(data.graph.lines.of, Int32Array) : null;
    this.units = new Units(data.units, data.answer?.units);
    this.changed = new Map();
    this.selected = null;
    this.stepping = false;
    this.forwards = this.graph.operations.length;
    this.last = this.forwards + this.graph.stepCount;
    this.position = this.last;
    this.opPlace = new Int32Array(this.graph.count).fill(-1);
    this.graph.operations.forEach((node, i) => { this.opPlace[node] = i; });
    this.views = data.pictures.views;
    this.picture = new Picture(find("picture"), this);
    this.inspector = new Inspector(find("panel-node"), this);
    this.stepper = new Stepper(this, find);
    this.maps = data.maps.length ? new Maps(find("panel-maps"), this, data) : null;
    this.search = new Search(this, find);
    this.buildLevels();
    this.refresh();
    this.show(data.start);
    this.boundary = data.boundary ? new Boundary(this, data.boundary) : null;
    this.run = data.run ? new Run(find("panel-run"), this, data.run) : null;
    if (this.boundary && !this.run) find("panel-run").append(this.boundary.section);
    this.update();
  }

  // What is known at the place where the slider stands.
  valueText(node, digits = 4) {
    const place = this.opPlace[node];
    return place >= 0 && place >= this.position ? "not computed" : numberText(this.graph.value[node], digits);
  }

  gradientState() {
    if (!this.state) {
      const steps = this.position - this.forwards;
      this.state = steps >= this.graph.stepCount ? this.graph : steps >= 0 && this.position > 0 ? this.graph.sweep(steps) : this.graph.sweep(0);
      if (steps < 0) this.state = { gradient: new Float64Array(this.graph.count), reached: new Uint8Array(this.graph.count) };
    }
    return this.state;
  }

  gradientText(node, digits = 4) {
    const state = this.gradientState();
    return state.reached[node] ? numberText(state.gradient[node], digits) : this.complete() ? "no path" : "not computed";
  }

  complete() { return this.position >= this.last; }

  current() {
    if (!this.stepping || this.position === 0) return null;
    if (this.position <= this.forwards) return { node: this.graph.operations[this.position - 1], parent: null };
    this.now ??= this.graph.step(this.position - this.forwards - 1);
    return this.now;
  }

  line(node) { return this.lines && this.lines[node] >= 0 ? this.data.graph.lines.places[this.lines[node]] : null; }

  refresh() {
    this.state = this.now = null;
    const state = this.gradientState();
    this.groups.refresh((i) => (state.reached[i] ? state.gradient[i] : null));
  }

  update() {
    this.picture.update();
    this.inspector.update();
    this.stepper.update();
    this.maps?.update();
    this.boundary?.update();
    this.run?.update();
    find("result").textContent = `${this.words.name(this.graph.root)} = ${this.valueText(this.graph.root, 6)}${this.stale ? ", not up to date: an op in Python kept its number" : ""}`;
    find("reset").hidden = this.changed.size === 0;
  }

  moveTo(position) {
    this.position = Math.min(this.last, Math.max(0, position));
    this.stepping = true;
    this.refresh();
    const now = this.current();
    if (now && find("follow").checked) {
      // The operation has to be inside; what stands around the inside is there for what it hands a gradient on to.
      if (!this.picture.isInside(now.node)) this.show(this.viewOf(now.node));
      const [at, to] = [now.node, now.parent].map((node) => this.picture.shownPlace(node)), place = to >= 0 ? to : at;
      if (place >= 0) this.picture.reveal(place);
    }
    this.update();
  }

  change(leaf, number) {
    if (Object.is(number, this.graph.recorded[leaf])) this.changed.delete(leaf); else this.changed.set(leaf, number);
    this.toEnd();
    this.compute();
    this.say([`${this.words.name(this.graph.root)} is now ${numberText(this.graph.value[this.graph.root], 6)}`, verdict(this)].filter(Boolean).join(". "));
  }

  restore(leaf) {
    if (leaf === undefined) this.changed.clear(); else this.changed.delete(leaf);
    this.toEnd();
    this.compute();
    this.say("the numbers are as they were");
  }

  // Whoever changes a number wants to see what comes of it, wherever the slider stands.
  toEnd() {
    this.position = this.last;
    this.stepping = false;
  }

  compute() {
    this.graph.run(this.changed);
    this.stale = this.graph.frozen.size > 0 && this.graph.isStale([...this.changed.keys(), ...(this.run?.moved ?? [])]);
    this.refresh();
    this.update();
  }

  select(what, { edit = false } = {}) {
    this.selected = what;
    find("tab-node").click();
    this.update();
    if (edit) this.inspector.focusEdit();
  }

  // Select a node and show it, in the picture of another group if need be.
  goTo(node) {
    const from = document.activeElement;
    if (!this.picture.placeOf.has(node)) this.show(this.viewOf(node));
    const place = this.picture.shownPlace(node);
    this.selected = node;
    find("tab-node").click();
    this.update();
    if (place >= 0) {
      this.picture.focused = place;
      this.picture.reveal(place);
      this.picture.update();
      if (!from.getClientRects().length) this.picture.focus(place); // the cell of a map, or a link, that is gone
    }
    this.seePicture();
  }

  // On a phone the picture may have been scrolled away.
  seePicture() { this.picture.svg.parentElement.scrollIntoView({ block: "nearest" }); }

  viewOf(node) {
    const groups = this.groups.around(node);
    for (const group of groups) {
      const place = this.views.findIndex((view) => view.group === group);
      if (place >= 0) return place;
    }
    return this.shown;
  }

  open(group) {
    const place = this.views.findIndex((view) => view.group === group);
    if (place < 0) { // it has no picture, and the panel lists what is in it
      const around = this.picture.placeOf.has(`g${group}`) ? -1 : this.views.findIndex(({ items }) => items.some((item) => item[0] === group));
      if (around >= 0) this.show(around);
      return this.select(`g${group}`);
    }
    this.show(place);
    this.picture.focus(this.picture.focused);
    this.select(`g${group}`);
    this.seePicture();
    this.say(`inside ${this.groups.fullName(group)}`);
  }

  // Out of a group, to the picture around it.
  up() {
    const { group } = this.views[this.shown];
    if (!group) return;
    const around = this.groups.list[group].parent;
    const place = around ? this.views.findIndex((view) => view.group === around) : this.level;
    this.show(place >= 0 ? place : this.level);
    const back = this.picture.placeOf.get(`g${group}`);
    if (back !== undefined) this.picture.focus(back);
    this.update();
  }

  show(place) {
    const view = this.views[place];
    this.shown = place;
    if (!view.group) this.level = place;
    this.picture.show(view, this.data.pictures.layouts[view.layout]);
    const whole = h("button", { class: "link", type: "button", onclick: () => { this.show(this.level); this.update(); } }, "graph");
    const crumbs = this.groups.path(view.group).slice(1).map((group, i, all) => [h("span", { "aria-hidden": "true" }, "›"), i === all.length - 1 ? h("b", { "aria-current": "page" }, this.groups.told(group).name) : h("button", { class: "link", type: "button", onclick: () => this.open(group) }, this.groups.told(group).name)]);
    find("crumbs").replaceChildren(...(view.group ? [whole, ...crumbs.flat()] : [h("b", { "aria-current": "page" }, "graph")]));
    const simple = this.data.pictures.layouts[view.layout].simple;
    find("note").textContent = simple ? "Graphviz could not lay this picture out, so it stands in plain columns" : view.hidden ? `${view.hidden.toLocaleString("en")} long edges are not drawn` : "";
    for (const button of find("levels").children) button.setAttribute("aria-pressed", String(Number(button.dataset.view) === place));
  }

  buildLevels() {
    const whole = this.views.map((view, i) => [view, i]).filter(([view]) => view.group === 0);
    find("levels").append(...whole.map(([view, i], at) => h("button", { type: "button", "data-view": i, "aria-pressed": "false", title: `fold, key ${at + 1}`, onclick: () => { this.show(i); this.update(); } },
      view.depth === null ? "operations" : this.data.levels[view.depth - 1])));
  }

  say(text) { find("live").textContent = text; }
}

const app = new App(JSON.parse(find("data").textContent));
listenToTabs(find, () => app.boundary?.update());
listenToKeys(app, find);
find("reset").addEventListener("click", () => app.restore());
addEventListener("resize", () => app.picture.enter());
globalThis.explorer = app;
document.documentElement.dataset.ready = "true";
