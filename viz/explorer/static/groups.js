// The groups of the graph: what is in each, and what crosses its boundary.
import { unpack } from "./engine.js";

export class Groups {
  constructor(data, of, graph) {
    this.list = data; // {name, parent}, and nodes where these are not told by `of`: a part of a group, shared leaves
    this.of = unpack(of, Int32Array);
    this.graph = graph;
    this.others = new Map(); // of a node, the groups of that kind that it is in
    data.forEach(({ nodes }, group) => nodes?.forEach((i) => this.others.set(i, [...(this.others.get(i) ?? []), group])));
    this.counts = data.map(() => ({ operations: 0, leaves: 0 }));
    for (let i = 0; i < graph.count; i++) {
      for (const group of this.around(i)) this.counts[group][graph.arity(i) ? "operations" : "leaves"]++;
    }
  }

  // The groups around a node, the innermost first; the whole graph, 0, is the last.
  around(node) {
    const found = [...(this.others.get(node) ?? [])];
    for (let group = this.of[node]; group !== null; group = this.list[group].parent) found.push(group);
    return found;
  }

  has(group, node) { return this.around(node).includes(group); }

  path(group) {
    const found = [];
    for (let at = group; at !== null; at = this.list[at].parent) found.unshift(at);
    return found;
  }

  // Its name with those of the groups around it: hidden.neuron1.
  fullName(group) { return this.path(group).slice(1).map((one) => this.list[one].name).join("."); }

  told(group) { return { name: this.list[group].name, ...this.counts[group] }; }

  // The nodes in a group and in none within it.
  direct(group) { return this.list[group].nodes ?? this.graph.every((i) => this.of[i] === group); }

  members(group) { return this.graph.every((i) => this.has(group, i)); }

  // The largest gradient in each group at the moment, worked out once for all of them.
  refresh(gradientOf) {
    this.peaks = this.list.map(() => null);
    for (let i = 0; i < this.graph.count; i++) {
      const gradient = gradientOf(i);
      if (gradient === null) continue;
      for (const group of this.around(i)) this.peaks[group] = Math.max(this.peaks[group] ?? 0, Math.abs(gradient));
    }
  }

  largest(group) { return this.peaks[group]; }

  // What of a group is used outside, with its total derivatives by all that comes in from outside, the largest first.
  boundary(group, most = 4) {
    const { graph } = this, inside = (i) => this.has(group, i);
    const outputs = this.members(group).filter((i) => graph.arity(i) && (i === graph.root || graph.usesOf(i).some(({ user }) => !inside(user))));
    return {
      count: outputs.length,
      rows: outputs.slice(0, most).map((output) => {
        const found = [...graph.totals(output, inside)].sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
        return { output, inputs: found };
      }),
    };
  }
}
