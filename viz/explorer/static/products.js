// A dot as its products: both factors, and how much each product adds; the largest first.
import { bar, h, numberText, plural } from "./words.js";

const MOST = 12;

export function products(app, node, link) {
  const { graph } = app, n = graph.arity(node) / 2, start = graph.start[node];
  const pairs = [...Array(n).keys()].map((i) => {
    const [a, b] = [graph.argument(node, i), graph.argument(node, i + n)];
    return { places: [i, i + n], product: graph.value[a] * graph.value[b] };
  });
  pairs.sort((one, other) => Math.abs(other.product) - Math.abs(one.product));
  const largest = Math.abs(pairs[0]?.product) || 1;
  const factor = (place) => {
    const at = graph.args[start + place], named = graph.names[at];
    return [link(at), named ? h("small", {}, numberText(graph.value[at])) : "", graph.differentiable[start + place] ? "" : h("small", {}, "constant")];
  };
  const rows = pairs.slice(0, MOST).map(({ places: [a, b], product }) => h("tr", {},
    h("th", { scope: "row" }, factor(a)), h("td", {}, factor(b)),
    h("td", {}, numberText(product), bar(product / largest, 60))));
  const use = graph.usesOf(node)[0]?.user, operands = use === undefined ? [] : [0, 1].map((i) => graph.argument(use, i));
  const bias = graph.told(use ?? node).op === "add" ? operands.find((i) => i !== node && graph.arity(i) === 0) : undefined;
  const foot = bias === undefined ? [] : [[["+ ", link(bias)], bias], [["= ", link(use)], use]];
  const rest = pairs.slice(MOST).reduce((sum, { product }) => sum + product, 0);
  return h("section", {}, h("h3", {}, plural(n, "product")),
    h("p", { class: "quiet" }, "The local derivative by a factor is the other factor."),
    h("table", { class: "bars products" }, h("thead", {}, h("tr", {}, ...["factor", "× factor", "= product"].map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, rows, n > MOST ? h("tr", {}, h("th", { scope: "row" }, `${n - MOST} more`), h("td"), h("td", {}, numberText(rest))) : null),
      h("tfoot", {}, [["sum", node], ...foot].map(([text, of]) => h("tr", {}, h("th", { scope: "row" }, text), h("td"), h("td", {}, app.valueText(of)))))));
}
