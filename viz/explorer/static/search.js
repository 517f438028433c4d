// Finding a node or a group by its name, its op or its line.
import { cut, h } from "./words.js";

const MOST = 30, NOWHERE = 5;

// How well words fit: a name or an op is those words, has them in its name, in its op, or only in its line.
function rankOf(words, name, ops = [], line = "") {
  const low = name.toLowerCase(), at = low.indexOf(words), is = ops.map((op) => op.toLowerCase());
  const rank = [low === words, is.includes(words), at >= 0, is.some((op) => op.includes(words)), line.toLowerCase().includes(words)].indexOf(true);
  return { rank: rank < 0 ? NOWHERE : rank, at: rank === 2 ? at : 0 };
}

export class Search {
  constructor(app, find) {
    this.app = app;
    this.field = find("search");
    this.list = find("found");
    this.field.addEventListener("input", () => this.look());
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
      else if (event.key === "ArrowDown" || event.key === "ArrowUp") { this.move(event.key === "ArrowDown" ? 1 : -1); event.preventDefault(); }
      else if (event.key === "Enter") this.take(Math.max(0, this.at));
    });
    this.field.addEventListener("blur", () => setTimeout(() => { this.list.hidden = true; this.field.setAttribute("aria-expanded", "false"); }, 150));
  }

  look() {
    const words = this.field.value.toLowerCase().trim(), { app } = this, { graph } = app;
    const found = [];
    if (words) {
      app.groups.list.forEach((_, i) => {
        const text = app.groups.fullName(i), { rank, at } = rankOf(words, text);
        if (i && rank < NOWHERE) found.push({ rank, at: at - 1e6, text, kind: "group", go: () => app.open(i) });
      });
      for (let i = 0; i < graph.count; i++) {
        const text = app.words.name(i), { op, symbol } = graph.told(i);
        const { rank, at } = rankOf(words, text, [op, symbol], app.line(i)?.text);
        if (rank < NOWHERE) found.push({ rank, at, text, kind: [symbol, ...this.place(i, text)].join(", "), go: () => { app.goTo(i); app.picture.focus(app.picture.focused); } });
      }
      found.sort((a, b) => a.rank - b.rank || a.at - b.at);
    }
    this.hits = found.slice(0, MOST);
    this.at = this.hits.length ? 0 : -1;
    this.list.replaceChildren(...this.hits.map((hit, i) => h("li", { role: "option", id: `hit${i}`, "aria-selected": String(i === 0), onmousedown: (event) => event.preventDefault(), onclick: () => this.take(i) }, h("span", {}, hit.text), h("small", {}, hit.kind))));
    const more = found.length - this.hits.length, rest = !words ? "" : more ? `${more.toLocaleString("en")} more; go on typing` : found.length ? "" : "nothing found";
    if (rest) this.list.append(h("li", { role: "option", "aria-disabled": "true", "aria-selected": "false" }, rest));
    this.list.hidden = !words;
    this.field.setAttribute("aria-expanded", String(words !== ""));
    this.mark();
    app.say(words ? `${found.length} found` : "");
  }

  // The group that a node is in, where its name does not say it.
  place(node, name) {
    const group = this.app.groups.fullName(this.app.groups.of[node]);
    return group && !name.startsWith(group) ? [cut(group, 24)] : [];
  }

  move(by) {
    if (!this.hits?.length) return;
    this.at = (this.at + by + this.hits.length) % this.hits.length;
    this.mark();
  }

  mark() {
    [...this.list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === this.at)));
    if (this.at >= 0) {
      this.field.setAttribute("aria-activedescendant", `hit${this.at}`);
      this.list.children[this.at].scrollIntoView({ block: "nearest" });
    } else this.field.removeAttribute("aria-activedescendant");
  }

  take(place) {
    const hit = this.hits?.[place];
    if (!hit) return;
    this.close();
    hit.go();
  }

  close() {
    this.list.hidden = true;
    this.field.setAttribute("aria-expanded", "false");
    this.field.removeAttribute("aria-activedescendant");
    this.field.value = "";
    this.field.blur();
  }
}
