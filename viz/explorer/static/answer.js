// What the network answers: its outputs as shares where they are a choice, beside the target.
import { bar, h, numberText, percentText, plural } from "./words.js";

const MOST = 20;

export function answer(app) {
  const told = app.data.answer;
  if (!told) return null;
  const title = h("h3", {}, "What the network answers");
  if (told.outputs.some((node) => app.valueText(node) === "not computed")) return h("section", {}, title, h("p", { class: "quiet" }, "It is not computed yet where the slider stands."));
  const values = told.outputs.map((node) => app.graph.value[node]);
  return h("section", { class: "answer" }, title, told.kind === "numbers" ? numbers(app, told, values) : choice(app, told, values));
}

function shareText(share) { return share < 1e-4 ? "< 0.01 %" : percentText(share); }

function choice(app, { outputs, kind, names, target }, values) {
  const logits = kind === "sigmoid" ? [0, values[0]] : values, most = Math.max(...logits);
  const parts = logits.map((logit) => Math.exp(logit - most)), sum = parts.reduce((total, part) => total + part, 0);
  const shares = parts.map((part) => part / sum), best = logits.indexOf(most);
  const shown = [...names.keys()].sort((i, j) => (j === target) - (i === target) || shares[j] - shares[i] || i - j).slice(0, MOST).sort((i, j) => i - j);
  const mark = (i) => [i === best && "largest", i === target && "target"].filter(Boolean).join(", ");
  const logit = (node) => app.inspector.link(node, Infinity, app.valueText(node));
  const rows = shown.map((i) => h("tr", { class: i === best ? "here" : null },
    h("th", { scope: "row" }, names[i]),
    h("td", {}, kind === "softmax" ? logit(outputs[i]) : i ? logit(outputs[0]) : ""),
    h("td", {}, shareText(shares[i]), bar(shares[i], 60)), h("td", {}, mark(i))));
  return [
    best < 0 ? "" : h("p", { class: "formula" }, `${names[best]}, with ${shareText(shares[best])}`, target === null ? "" : best === target ? "; so is the target" : `; the target is ${names[target]}, with ${shareText(shares[target])}`),
    h("table", { class: "bars" }, h("thead", {}, h("tr", {}, ["class", "logit", kind, "mark"].map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, rows)),
    names.length > MOST ? h("p", { class: "quiet" }, `and ${plural(names.length - MOST, "class", "classes")} more, the largest with ${shareText(Math.max(...shares.filter((_, i) => !shown.includes(i))))}`) : "",
  ];
}

// Plain numbers; of normalized targets in the units that they have in the data.
function numbers(app, { outputs, target, units }, values) {
  const own = (number, i) => (units ? number * units.scale[i] + units.mean[i] : number);
  const targets = target?.length === values.length ? target : null;
  const head = ["output", units ? "normalized" : "value", units && "in its own units", targets && "target"].filter(Boolean);
  const rows = values.slice(0, MOST).map((value, i) => h("tr", {}, h("th", { scope: "row" }, app.inspector.link(outputs[i])), h("td", {}, numberText(value)),
    units ? h("td", {}, numberText(own(value, i))) : null, targets ? h("td", {}, numberText(own(targets[i], i))) : null));
  return [h("table", {}, h("thead", {}, h("tr", {}, head.map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, rows)),
    values.length > MOST ? h("p", { class: "quiet" }, `and ${plural(values.length - MOST, "output")} more`) : ""];
}
