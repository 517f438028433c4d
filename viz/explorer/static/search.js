// Finding a node or a group by its name, its op or its line.
import { h } from "./words.js";

const MOST = 30;

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
    this.hits = [];
    if (words) {
      app.groups.list.forEach((_, i) => { const name = app.groups.path(i).slice(1).map((group) => app.groups.told(group).name).join("."); if (i && name.toLowerCase().includes(words)) this.hits.push({ text: name, kind: "group", go: () => { app.open(i); } }); });
      const nodes = [];
      for (let i = 0; i < graph.count; i++) {
        const name = app.words.name(i), told = graph.told(i), at = name.toLowerCase().indexOf(words);
        const line = at < 0 && app.line(i);
        if (at >= 0 || told.symbol.toLowerCase().includes(words) || (line && line.text.toLowerCase().includes(words))) nodes.push([name.toLowerCase() === words ? -1 : at < 0 ? 1e6 : at, i, name, told]);
      }
      nodes.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      this.total = nodes.length + this.hits.length;
      const exact = nodes.length && nodes[0][0] === -1;
      const found = nodes.slice(0, MOST).map(([, i, name, told]) => ({ text: name, kind: told.symbol, go: () => { app.goTo(i); app.picture.focus(app.picture.focused); } }));
      this.hits = exact ? [...found, ...this.hits] : [...this.hits, ...found];
      this.hits = this.hits.slice(0, MOST);
    }
    this.at = this.hits.length ? 0 : -1;
    this.list.replaceChildren(...this.hits.map((hit, i) => h("li", { role: "option", id: `hit${i}`, "aria-selected": String(i === 0), onmousedown: (event) => event.preventDefault(), onclick: () => this.take(i) }, h("span", {}, hit.text), h("small", {}, hit.kind))));
    this.list.hidden = !this.hits.length;
    this.field.setAttribute("aria-expanded", String(this.hits.length > 0));
    this.mark();
    app.say(words ? `${this.total ?? 0} found` : "");
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
