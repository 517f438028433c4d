// The panel beside the picture: what is to be known of a node or of a group.
import { answer, verdict } from "./answer.js";
import { products } from "./products.js";
import { bar, h, numberText, percentText, plural } from "./words.js";

const MOST = 12;

export class Inspector {
  constructor(host, app) { this.host = host; this.app = app; }

  update() {
    const { selected } = this.app;
    const parts = selected === null ? this.welcome() : typeof selected === "string" ? this.group(Number(selected.slice(1))) : this.node(selected);
    const field = this.host.contains(document.activeElement) ? document.activeElement.id : "";
    this.host.replaceChildren(...parts.filter(Boolean));
    if (field) document.getElementById(field)?.focus();
  }

  // Before anything is selected: how large the graph is, and where it is steepest.
  welcome() {
    const { app } = this, { graph } = app, state = app.gradientState();
    const leaves = [...graph.leaves].filter((i) => state.reached[i] && graph.told(i).kind !== "constant");
    leaves.sort((a, b) => Math.abs(state.gradient[b]) - Math.abs(state.gradient[a]));
    const largest = Math.abs(state.gradient[leaves[0]]) || 1;
    const rows = leaves.slice(0, MOST).map((i) => h("tr", {}, h("th", { scope: "row" }, this.link(i)), h("td", {}, app.valueText(i)), h("td", {}, app.gradientText(i), bar(state.gradient[i] / largest, 60))));
    return [
      h("h2", {}, "The graph"),
      h("p", { class: "quiet" }, `${plural(graph.operations.length, "operation")}, ${plural(graph.leaves.length, "leaf", "leaves")}, ${plural(graph.stepCount, "edge")} that a gradient takes. Click a card, or go through the picture with Tab and the arrow keys; ? lists all keys.`),
      answer(app),
      rows.length ? h("section", {}, h("h3", {}, "Largest gradients"), h("table", { class: "bars" }, h("thead", {}, h("tr", {}, ...["leaf", "value", "gradient"].map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, rows))) : null,
    ];
  }

  // In a table a name has the room that is left, and loses its front; elsewhere it has so many characters.
  link(node, most = Infinity, text = this.app.words.short(node, most)) {
    const { app } = this;
    return h("button", { class: "link", type: "button", title: app.words.name(node), onclick: () => app.goTo(node) }, h("bdi", { dir: "ltr" }, text));
  }

  node(node) {
    const { app } = this, { graph, words } = app, told = graph.told(node), leaf = graph.arity(node) === 0;
    const kind = node === graph.root && !leaf ? `result, ${told.symbol}` : told.kind === "operation" ? told.symbol : told.kind;
    const known = app.valueText(node) !== "not computed";
    return [
      h("h2", {}, words.name(node)),
      h("p", { class: "quiet" }, told.summary ? `${kind}: ${told.summary}` : kind),
      h("dl", { class: "facts" },
        h("div", {}, h("dt", {}, "value"), h("dd", {}, app.valueText(node, 8))),
        h("div", {}, h("dt", {}, "gradient"), h("dd", {}, app.gradientText(node, 8)))),
      leaf ? this.edit(node) : h("p", { class: "formula" }, `${words.name(node)} = ${words.formula(node)}`),
      told.kind === "operation" && !told.computed ? h("p", { class: "note" }, "This op is Python of your own: the page keeps the number that it had, whatever is edited.") : null,
      known ? this.chainRule(node) : null,
      known && told.op === "dot" ? products(app, node, (one) => this.link(one)) : known && !leaf ? this.operands(node) : null,
      known ? this.paths(node) : null,
      this.source(node),
    ];
  }

  // `select` alone does not move the focus in every browser.
  focusEdit() {
    const field = document.getElementById("edit");
    field?.focus();
    field?.select();
  }

  edit(node) {
    const { app } = this, was = app.graph.recorded[node];
    const before = app.units.has(node) ? `${numberText(app.units.own(node, was), 6)} in the data's own units, which is ${numberText(was, 6)} normalized,` : numberText(was, 6);
    const note = h("p", { id: "edit-note", class: "quiet", role: "status" }, app.changed.has(node) ? `was ${before} ${app.run?.when(node) ?? "in Python"}` : "Enter computes both passes again; ↑ and ↓ change it by 10 %.");
    // A field for the number itself, or for what it is in the data's own units.
    const line = (id, label, shown, meant, ...more) => {
      const field = h("input", { id, type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false", value: String(shown(app.graph.value[node])), "aria-describedby": "edit-note" });
      const apply = () => this.apply(node, field, note, meant);
      const nudge = (sign) => {
        const number = shown(app.graph.value[node]);
        const next = meant(Number((number + sign * (Math.abs(number) > 1e-12 ? Math.abs(number) / 10 : 0.1)).toPrecision(12)));
        if (Number.isFinite(next)) app.change(node, next);
      };
      field.addEventListener("keydown", (event) => {
        if (event.key === "Enter") apply();
        else if (event.key === "ArrowUp") nudge(1);
        else if (event.key === "ArrowDown") nudge(-1);
        else return;
        event.preventDefault();
      });
      return [h("label", { for: id }, label), h("div", { class: "row" }, field, h("button", { type: "button", onclick: apply }, "Compute"), ...more)];
    };
    const undo = app.changed.has(node) ? h("button", { type: "button", onclick: () => { app.restore(node); this.focusEdit(); } }, "Undo") : null;
    const own = app.units.has(node) ? line("edit-own", "= in the data's own units", (x) => Number(app.units.own(node, x).toPrecision(12)), (x) => app.units.normalized(node, x)) : [];
    const said = verdict(app);
    return h("div", { class: "edit" }, line("edit", own.length ? "Change the value, normalized" : "Change the value", (x) => x, (x) => x, undo), own, note, said && h("p", { class: "formula" }, said));
  }

  apply(node, field, note, meant) {
    const { app } = this, number = meant(Number(field.value.replace("−", "-").trim()));
    if (field.value.trim() === "" || !(Number.isFinite(number) || Object.is(number, app.graph.recorded[node]))) {
      field.setAttribute("aria-invalid", "true");
      const wrong = field.value.trim() === "" ? "" : `“${field.value.slice(0, 30)}” is not a ${Number.isNaN(number) ? "" : "finite "}number; `;
      note.textContent = `${wrong}write a number such as −0.25 or 1e-3.`.replace(/^w/, "W");
    } else app.change(node, number);
  }

  chainRule(node) {
    const { app } = this, { graph, words } = app;
    const state = app.gradientState();
    const title = h("h3", {}, "Chain rule");
    if (node === graph.root) return h("section", {}, title, h("p", { class: "quiet" }, `${words.derivative(node)} = 1: where back propagation starts.`));
    const uses = graph.usesOf(node).map(({ edge, user }) => ({ edge, user, upstream: state.gradient[user], known: state.reached[user], local: graph.local[edge] }));
    if (!uses.length) return h("section", {}, title, h("p", { class: "quiet" }, "No path leads from the result to it."));
    uses.sort((a, b) => Math.abs(b.upstream * b.local) - Math.abs(a.upstream * a.local));
    const rows = uses.slice(0, MOST).map(({ edge, user, upstream, known, local }) => h("tr", {},
      h("th", { scope: "row" }, this.link(user)),
      h("td", {}, known ? numberText(upstream) : "–"),
      h("td", { title: words.slope(user, edge - graph.start[user]) }, numberText(local)),
      h("td", {}, known ? numberText(upstream * local) : "–")));
    const rest = uses.slice(MOST).reduce((sum, use) => sum + use.upstream * use.local, 0);
    const first = uses[0];
    return h("section", {}, title,
      uses.length === 1 ? h("p", { class: "formula" }, `${words.derivative(node)} = ${words.derivative(first.user)} × ${words.slope(first.user, first.edge - graph.start[first.user])}`) : null,
      h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "used by"), h("th", { scope: "col" }, "upstream"), h("th", { scope: "col" }, "× local"), h("th", { scope: "col" }, "= part"))),
        h("tbody", {}, rows, uses.length > MOST ? h("tr", {}, h("th", { scope: "row" }, plural(uses.length - MOST, "more use")), h("td"), h("td"), h("td", {}, numberText(rest))) : null),
        h("tfoot", {}, h("tr", {}, h("th", { scope: "row" }, "gradient"), h("td"), h("td"), h("td", {}, app.gradientText(node))))));
  }

  operands(node) {
    const { graph, words } = this.app, n = graph.arity(node);
    const rows = [...Array(Math.min(n, MOST)).keys()].map((i) => h("tr", {},
      h("th", { scope: "row" }, this.link(graph.argument(node, i))),
      h("td", {}, this.app.valueText(graph.argument(node, i))),
      h("td", {}, graph.differentiable[graph.start[node] + i] ? numberText(graph.local[graph.start[node] + i]) : "constant"),
      h("td", { class: "symbols" }, graph.differentiable[graph.start[node] + i] ? words.slope(node, i) : "")));
    return h("section", {}, h("h3", {}, "Local derivatives"),
      h("table", {}, h("thead", {}, h("tr", {}, ...["operand", "value", "local", "by the table"].map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, rows)),
      n > MOST ? h("p", { class: "quiet" }, `and ${plural(n - MOST, "operand")} more`) : null);
  }

  paths(node) {
    const { app } = this, { graph } = app;
    if (node === graph.root || !app.complete()) return null;
    const { count, best } = graph.paths(node);
    if (!count) return null;
    if (best.every(({ product }) => product === 0)) return h("section", {}, h("h3", {}, plural(count, "path")), h("p", { class: "quiet" }, "A factor on each is 0, so that nothing comes through."));
    const lines = best.map(({ product, share, nodes }) => {
      const shown = telling(nodes, best);
      return h("li", {}, h("div", { class: "share" }, bar(share, 80), h("span", {}, percentText(share)), h("span", { class: "quiet" }, numberText(product))),
        h("div", { class: "way" }, shown.flatMap((one, i) => [i ? " → " : "", one === null ? "…" : this.link(one, 18)])));
    });
    return h("section", {}, h("h3", {}, count > best.length ? `The largest of ${count < 1e15 ? count.toLocaleString("en") : numberText(count, 3)} paths` : plural(count, "path")), h("ol", { class: "paths" }, lines));
  }

  source(node) {
    const line = this.app.line(node);
    return line ? h("section", {}, h("h3", {}, "Made at"), h("pre", { tabindex: 0, "aria-label": "source line" }, `${line.file}:${line.number}\n${line.text}`)) : null;
  }

  // What is in a group without a picture: it was left out, or the group is a part of one that has its own.
  contents(group) {
    const { app } = this, inside = app.groups.list.map((one, i) => [one, i]).filter(([one]) => one.parent === group);
    const nodes = app.groups.direct(group);
    return h("section", {}, h("h3", {}, "In it"), app.groups.list[group].nodes ? null : h("p", { class: "quiet" }, "Its picture was left out to keep the file small."),
      h("ul", { class: "contents" }, inside.map(([{ name }, i]) => h("li", {}, h("button", { class: "link", type: "button", onclick: () => app.select(`g${i}`) }, name))),
        nodes.map((i) => h("li", {}, this.link(i), " ", h("span", { class: "quiet" }, app.words.formula(i).slice(0, 40))))));
  }

  group(group) {
    const { app } = this, { operations, leaves } = app.groups.told(group), { count, rows } = app.groups.boundary(group);
    const tables = rows.map(({ output, inputs }) => h("table", {},
      h("caption", {}, "total derivative of ", this.link(output)),
      h("thead", {}, h("tr", {}, ...["by", "value", "total ∂"].map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, inputs.slice(0, MOST).map(([input, total]) => h("tr", {}, h("th", { scope: "row" }, this.link(input)), h("td", {}, app.valueText(input)), h("td", {}, numberText(total)))),
        inputs.length > MOST ? h("tr", {}, h("th", { scope: "row" }, `${inputs.length - MOST} more`), h("td"), h("td")) : null)));
    return [
      h("h2", {}, app.groups.fullName(group)),
      h("p", { class: "quiet" }, `a group of ${plural(operations, "operation")} and ${plural(leaves, "leaf", "leaves")}`),
      app.views[app.shown].group === group ? null : app.views.some((view) => view.group === group) ? h("p", {}, h("button", { type: "button", onclick: () => app.open(group) }, "Open it")) : this.contents(group),
      h("section", {}, h("h3", {}, "Across its boundary"),
        h("p", { class: "quiet" }, rows.length ? "The sum over the paths inside: upstream × total derivative is what the group hands on, as a single operation does." : "Nothing in it is computed."),
        ...tables, count > rows.length ? h("p", { class: "quiet" }, `and ${plural(count - rows.length, "output")} more`) : null),
    ];
  }
}

// The ends of a path and what in between is on the fewest of the paths, for that is how they differ; null for a gap.
function telling(nodes, paths, most = 7) {
  if (nodes.length <= most) return nodes;
  const last = nodes.length - 1, uses = nodes.map((node) => paths.filter((path) => path.nodes.includes(node)).length);
  const rarest = [...nodes.keys()].sort((i, j) => (j % last === 0) - (i % last === 0) || uses[i] - uses[j] || Math.min(i, last - i) - Math.min(j, last - j));
  const kept = rarest.slice(0, most).sort((i, j) => i - j);
  return kept.flatMap((i, k) => (k && i > kept[k - 1] + 1 ? [null, nodes[i]] : [nodes[i]]));
}
