// One picture on the page: cards and edges where dot has put them; pan, zoom, and a focus that arrow keys move.
import { cut, numberText, plural, s } from "./words.js";

const SIZES = { node: [172, 46], group: [190, 64], rest: [120, 34] };
const WIDE = 21, MANY = 150, READ = 400, FEW = 60, PHONE = 860, NEAR = 0.85, FAR = 0.5, LEGIBLE = 0.62, SMALLEST = 0.02, LARGEST = 4;

export class Picture {
  constructor(svg, app) {
    this.svg = svg;
    this.app = app;
    this.world = s("g", { class: "world" });
    svg.append(s("defs", {}, s("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 6, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto-start-reverse" },
      s("path", { d: "M0 0 8 4 0 8z", class: "arrow" }))), this.world);
    this.at = { x: 0, y: 0, scale: 1 };
    this.listen();
  }

  // Show a picture; `view.items` are node numbers, [group number] or a text for nodes that are left out.
  show(view, layout) {
    this.view = view;
    this.layout = layout;
    this.items = view.items.map((item, i) => this.item(item, i));
    this.placeOf = new Map(view.items.map((item, i) => [Array.isArray(item) ? `g${item[0]}` : item, i]));
    const far = layout.edges.length - layout.far;
    this.edges = layout.edges.map(([a, b, ...points], i) => {
      const path = `M${points[0]} ${points[1]}C${points.slice(2).join(" ")}`;
      return { a, b, path: s("path", { d: path, class: i < far ? "edge" : "edge long" }) };
    });
    this.world.replaceChildren(s("g", { class: "edges", "aria-hidden": "true" }, this.edges.map((edge) => edge.path)), ...this.items.map((item) => item.g));
    this.focused = this.items.reduce((best, { x, y }, i) => (x < this.items[best].x || (x === this.items[best].x && y < this.items[best].y) ? i : best), 0);
    this.enter();
    this.update();
  }

  // All of the picture if it can be read, else the part around the current step or the result, near enough to be read.
  enter() {
    const { items, layout } = this;
    this.fit();
    if (this.at.scale >= LEGIBLE) return;
    if (items.length > READ) {
      if (this.at.scale < FAR && layout.width > 6 * layout.height) this.reveal(this.focused); // a line is read from its start
      return;
    }
    const now = this.app.current(), { width, height } = this.box;
    let place = this.shownPlace(now ? now.parent ?? now.node : this.view.group ? null : this.app.graph.root);
    if (place < 0 && this.view.group) place = this.entrance();
    if (place < 0) place = items.reduce((best, { x }, i) => (i < this.view.inside && x > items[best].x ? i : best), 0);
    this.focused = place;
    const start = (at, room, long) => (long * NEAR <= room - 56 ? (room - long * NEAR) / 2 : Math.max(room - 28 - long * NEAR, Math.min(28, room / 2 - at * NEAR)));
    const { x, y, w, height: high } = items[place];
    this.move({ scale: NEAR, x: start(x + w / 2, width, layout.width + 8), y: start(y + high / 2, height, layout.height + 8) });
  }

  // Where a group is read from: the middle of what comes in.
  entrance() {
    const aside = ({ x, y, w }) => (x + w / 2) * 1e6 + Math.abs(y - this.layout.height / 2);
    return this.items.reduce((best, one, i) => (aside(one) < aside(this.items[best]) ? i : best), 0);
  }

  // All of the picture, or on a phone what of a small one can be read.
  refit() { if (innerWidth <= PHONE && this.items.length <= FEW) this.enter(); else this.fit(); }

  item(item, i) {
    const { app } = this;
    const kind = Array.isArray(item) ? "group" : typeof item === "string" ? "rest" : "node";
    const [w, height] = SIZES[kind];
    const [x, y] = [this.layout.nodes[2 * i] - w / 2, this.layout.nodes[2 * i + 1] - height / 2];
    const outside = i >= this.view.inside;
    const classes = ["item", kind, outside ? "outside" : ""];
    const parts = { kind, item, x, y, w, height };
    const text = (at, line, name, ...words) => s("text", { x: at, y: line, class: name }, ...words);
    const children = [];
    if (kind === "group") {
      const { operations, leaves } = app.groups.told(item[0]);
      const around = app.groups.path(this.view.group);
      const name = app.groups.path(item[0]).filter((group) => group && !around.includes(group)).map((group) => app.groups.told(group).name).join(".");
      parts.title = name;
      children.push(s("rect", { x: 4, y: 4, width: w, height, rx: 8, class: "sheet" }), s("rect", { width: w, height, rx: 8, class: "card" }));
      const counts = [operations && plural(operations, "operation"), leaves && plural(leaves, "leaf", "leaves")].filter(Boolean);
      if (name.length > 22) children.push(s("title", {}, name));
      children.push(text(12, 20, "title", cut(name, 22)), text(12, 37, "small", counts.join(" · ")));
      children.push(parts.second = text(12, 54, "number", ""));
    } else if (kind === "rest") {
      parts.title = item;
      children.push(s("rect", { width: w, height, rx: 8, class: "card" }), text(12, 21, "small", item));
    } else {
      const told = app.graph.told(item), isRoot = item === app.graph.root;
      classes.push(isRoot ? "root" : told.kind);
      parts.title = app.words.name(item);
      const within = app.groups.path(this.view.group).slice(1).map((group) => `${app.groups.told(group).name}.`).join("");
      const name = parts.title.startsWith(within) ? parts.title.slice(within.length) : parts.title;
      const symbol = told.kind === "operation" ? told.symbol : told.kind;
      children.push(s("rect", { width: w, height, rx: 6, class: "card" }), s("rect", { width: 4, height: height - 12, x: 0, y: 6, class: "stripe" }));
      const beside = WIDE - Math.min(9, symbol.length), alone = told.kind !== "operation" && name.length > beside; // the stripe tells the kind
      children.push(parts.name = text(12, 18, "title", cut(name, alone ? WIDE : beside)), alone ? null : text(w - 10, 18, "small end", cut(symbol, 9)));
      if (name.length > (alone ? WIDE : beside)) children.push(s("title", {}, parts.title));
      children.push(parts.first = text(12, 36, "number", ""), parts.second = text(w - 10, 36, "number gradient end", ""));
    }
    parts.g = s("g", {
      class: classes.filter(Boolean).join(" "), transform: `translate(${x} ${y})`, tabindex: -1, role: "button", "data-place": i,
    }, ...children);
    return parts;
  }

  // Write the numbers of the state anew, and mark what is current, selected and changed.
  update() {
    const { app } = this, { graph } = app;
    this.items.forEach((parts) => {
      const { kind, item, g } = parts;
      let label = parts.title;
      if (kind === "node") {
        const value = app.valueText(item), gradient = app.gradientText(item);
        if (!graph.names[item]) write(parts.name, parts.title = label = app.words.name(item)); // it is called by its number
        write(parts.first, value === "not computed" ? "–" : value);
        write(parts.second, gradient === "not computed" ? "∂ –" : `∂ ${gradient}`);
        label += `, ${graph.told(item).symbol}, value ${value}, gradient ${gradient}`;
        g.classList.toggle("changed", app.changed.has(item));
        g.classList.toggle("unknown", value === "not computed");
      } else if (kind === "group") {
        const { operations, leaves } = app.groups.told(item[0]);
        const largest = app.groups.largest(item[0]);
        write(parts.second, largest === null ? "gradients not computed" : `largest |∂| ${numberText(largest)}`);
        label += `, a group of ${plural(operations, "operation")} and ${plural(leaves, "leaf", "leaves")}, ${parts.second.textContent}; Enter opens it`;
      }
      if (parts.label !== label) g.setAttribute("aria-label", parts.label = label);
      const selected = app.selected === (kind === "group" ? `g${item[0]}` : item);
      g.classList.toggle("selected", selected);
      if (selected) g.setAttribute("aria-current", "true"); else g.removeAttribute("aria-current");
      g.classList.remove("current", "target");
    });
    const now = app.current();
    const [from, to] = now ? [this.shownPlace(now.node), this.shownPlace(now.parent)] : [-1, -1];
    if (from >= 0) this.items[from].g.classList.add("current");
    if (to >= 0) this.items[to].g.classList.add("target");
    const picked = app.selected === null ? -1 : this.placeOf.get(app.selected) ?? -1;
    for (const { a, b, path } of this.edges) {
      path.classList.toggle("current", now !== null && a === to && b === from);
      path.classList.toggle("near", picked >= 0 && (a === picked || b === picked));
    }
    this.items.forEach(({ g }, i) => {
      const index = i === this.focused ? "0" : "-1";
      if (g.getAttribute("tabindex") !== index) g.setAttribute("tabindex", index);
    });
  }

  // Where a node is shown: by itself, or as the group that it is folded into.
  shownPlace(node) {
    if (node === null || node === undefined) return -1;
    if (this.placeOf.has(node)) return this.placeOf.get(node);
    for (const group of this.app.groups.around(node)) if (this.placeOf.has(`g${group}`)) return this.placeOf.get(`g${group}`);
    return -1;
  }

  isInside(node) {
    const place = this.shownPlace(node);
    return place >= 0 && place < this.view.inside;
  }

  fit() {
    this.box = this.svg.getBoundingClientRect();
    const { width, height } = this.box;
    const margin = 28, wide = this.layout.width + 8, high = this.layout.height + 8;
    const scale = Math.min(1.25, (width - 2 * margin) / wide, (height - 2 * margin) / high);
    this.move({ scale: Math.max(SMALLEST, scale), x: (width - wide * scale) / 2, y: (height - high * scale) / 2 });
  }

  move({ x, y, scale }) {
    this.at = { x, y, scale };
    this.world.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(${scale.toFixed(4)})`);
    this.svg.classList.toggle("far", scale < FAR);
    const isWhole = x > -1 && y > -1 && x + this.layout.width * scale < this.box.width + 1 && y + this.layout.height * scale < this.box.height + 1;
    document.getElementById("more").hidden = isWhole;
    if (this.items.length > MANY) this.cull();
  }

  // Text out of sight is hidden: it is what a browser takes most of the time of a large picture for.
  cull() {
    const { x, y, scale } = this.at, { width, height } = this.box;
    for (const parts of this.items) {
      const left = parts.x * scale + x, top = parts.y * scale + y;
      const away = left > width || top > height || left + parts.w * scale < 0 || top + parts.height * scale < 0;
      if (away !== parts.away) parts.g.classList.toggle("away", parts.away = away);
    }
  }

  pan(dx, dy) { this.move({ ...this.at, x: this.at.x + dx, y: this.at.y + dy }); }

  zoom(factor, px, py) {
    const box = this.svg.getBoundingClientRect(), { x, y, scale } = this.at;
    const next = Math.min(LARGEST, Math.max(SMALLEST, scale * factor)), by = next / scale;
    const [cx, cy] = [px ?? box.width / 2, py ?? box.height / 2];
    this.move({ scale: next, x: cx - (cx - x) * by, y: cy - (cy - y) * by });
  }

  // Bring an item into sight, near enough to be read.
  reveal(place, { near = true } = {}) {
    const { x, y, w, height } = this.items[place], box = this.svg.getBoundingClientRect();
    const scale = near && this.at.scale < LEGIBLE ? NEAR : this.at.scale;
    const left = x * scale + this.at.x, top = y * scale + this.at.y;
    const inSight = scale === this.at.scale && left > 0 && top > 0 && left + w * scale < box.width && top + height * scale < box.height;
    if (!inSight) this.move({ scale, x: box.width / 2 - (x + w / 2) * scale, y: box.height / 2 - (y + height / 2) * scale });
  }

  focus(place) {
    this.items[this.focused]?.g.setAttribute("tabindex", -1);
    this.focused = place;
    const { g } = this.items[place];
    g.setAttribute("tabindex", 0);
    g.focus({ preventScroll: true });
    this.reveal(place, { near: false });
  }

  // The nearest item in a direction, the way before the side.
  neighbour(dx, dy) {
    const from = this.items[this.focused], [fx, fy] = [from.x + from.w / 2, from.y + from.height / 2];
    let best = -1, least = Infinity;
    this.items.forEach(({ x, y, w, height }, i) => {
      const along = (x + w / 2 - fx) * dx + (y + height / 2 - fy) * dy, across = Math.abs((x + w / 2 - fx) * dy) + Math.abs((y + height / 2 - fy) * dx);
      if (i !== this.focused && along > 10 && along + 3 * across < least) [best, least] = [i, along + 3 * across];
    });
    return best;
  }

  pick(place, open) {
    const { kind, item } = this.items[place];
    if (kind === "rest") return;
    if (kind === "group" && open) this.app.open(item[0]);
    else this.app.select(kind === "group" ? `g${item[0]}` : item, { edit: open });
  }

  listen() {
    const { svg } = this, pointers = new Map();
    let moved = 0;
    const placeOf = (event) => { const g = event.target.closest?.(".item"); return g ? Number(g.dataset.place) : -1; };
    svg.addEventListener("wheel", (event) => {
      event.preventDefault();
      const box = svg.getBoundingClientRect();
      this.zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), event.clientX - box.left, event.clientY - box.top);
    }, { passive: false });
    svg.addEventListener("pointerdown", (event) => { pointers.set(event.pointerId, event); moved = 0; });
    svg.addEventListener("pointermove", (event) => {
      const last = pointers.get(event.pointerId);
      if (!last) return;
      const [dx, dy] = [event.clientX - last.clientX, event.clientY - last.clientY];
      moved += Math.abs(dx) + Math.abs(dy);
      if (moved > 4 && !svg.hasPointerCapture(event.pointerId)) svg.setPointerCapture(event.pointerId);
      if (pointers.size === 2) {
        const other = [...pointers.values()].find((one) => one.pointerId !== event.pointerId);
        const far = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
        this.zoom(far(event) / far(last));
      } else if (moved > 4) this.pan(dx, dy);
      pointers.set(event.pointerId, event);
    });
    for (const end of ["pointerup", "pointercancel", "pointerleave"]) svg.addEventListener(end, (event) => pointers.delete(event.pointerId));
    svg.addEventListener("click", (event) => {
      const place = placeOf(event);
      if (place < 0 || moved > 4) return;
      this.focus(place);
      this.pick(place, false);
    });
    svg.addEventListener("dblclick", (event) => { const place = placeOf(event); if (place >= 0) this.pick(place, true); });
    svg.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (way && event.shiftKey) this.pan(-60 * way[0], -60 * way[1]);
    else if (way) {
      const place = this.neighbour(...way);
      if (place >= 0) { this.focus(place); this.pick(place, false); }
    } else if (event.key === "Enter" || event.key === " ") this.pick(this.focused, true);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

function write(element, text) { if (element.textContent !== text) element.textContent = text; }
