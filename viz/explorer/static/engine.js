// The graph in the page: a forward pass, a reverse sweep and its steps, paths and total derivatives, on flat arrays.
import { nary } from "./kernels.js";

function bytes(text) {
  return Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0)).buffer;
}

export function unpack(text, Kind) {
  return new Kind(bytes(text));
}

export class Graph {
  constructor(data, table) {
    this.count = data.count;
    this.ops = data.ops;
    this.names = data.names;
    this.op = unpack(data.op, Uint16Array);
    this.args = unpack(data.arguments, Int32Array);
    this.differentiable = unpack(data.differentiable, Uint8Array);
    this.recorded = unpack(data.value, Float64Array);
    this.order = unpack(data.order, Int32Array);
    this.start = offsets(unpack(data.arity, Int32Array));
    this.root = this.count - 1;
    this.frozen = new Set(Object.keys(data.frozen).map(Number));
    this.rows = this.ops.map((told) => (told.kind === "operation" && told.computed ? table[told.op] || nary[told.op] : null));
    this.isNary = this.ops.map((told) => Object.hasOwn(nary, told.op));
    this.value = this.recorded.slice();
    this.local = new Float64Array(this.args.length);
    for (const [node, locals] of Object.entries(data.frozen)) {
      locals.forEach((local, i) => { this.local[this.start[node] + i] = Number(local); });
    }
    this.operations = Int32Array.from(this.every((i) => this.arity(i) > 0));
    this.leaves = Int32Array.from(this.every((i) => this.arity(i) === 0));
    this.users = usersOf(this);
    this.stepStart = offsets(Int32Array.from(this.order, (i) => this.edges(i).length));
    this.stepCount = this.stepStart[this.order.length];
    this.run();
  }

  every(test) {
    const found = [];
    for (let i = 0; i < this.count; i++) if (test(i)) found.push(i);
    return found;
  }

  arity(node) { return this.start[node + 1] - this.start[node]; }

  told(node) { return this.ops[this.op[node]]; }

  argument(node, i) { return this.args[this.start[node] + i]; }

  // The edges of a node along which a gradient is handed on, by their place among all edges.
  edges(node) {
    const found = [];
    for (let e = this.start[node]; e < this.start[node + 1]; e++) if (this.differentiable[e]) found.push(e);
    return found;
  }

  // Both passes. `changed` maps leaves to numbers that stand in for the recorded ones.
  run(changed = new Map()) {
    this.value.set(this.recorded);
    for (const [leaf, number] of changed) this.value[leaf] = number;
    this.forward(this.operations, this.value);
    this.partials();
    const { gradient, reached } = this.sweep(this.stepCount);
    this.gradient = gradient;
    this.reached = reached;
  }

  forward(nodes, value) {
    const { args, start } = this;
    for (const node of nodes) {
      const row = this.rows[this.op[node]];
      if (!row) continue;
      const s = start[node], n = start[node + 1] - s;
      if (this.isNary[this.op[node]]) value[node] = row.value(n, (i) => value[args[s + i]]);
      else if (n === 1) value[node] = row.value(value[args[s]]);
      else if (n === 2) value[node] = row.value(value[args[s]], value[args[s + 1]]);
      else value[node] = row.value(value[args[s]], value[args[s + 1]], value[args[s + 2]]);
    }
  }

  partials() {
    const { args, start, value, local } = this;
    for (const node of this.operations) {
      const row = this.rows[this.op[node]];
      if (!row) continue;
      const s = start[node], n = start[node + 1] - s, y = value[node];
      if (this.isNary[this.op[node]]) {
        const at = (i) => value[args[s + i]];
        for (let i = 0; i < n; i++) if (this.differentiable[s + i]) local[s + i] = row.partial(i, y, n, at);
      } else {
        const [a, b, c] = [value[args[s]], value[args[s + 1]], value[args[s + 2]]];
        for (let i = 0; i < n; i++) local[s + i] = row.partials[i](y, a, b, c);
      }
    }
  }

  // The gradients after so many steps of the reverse sweep, and which nodes one has been handed to.
  sweep(steps) {
    const gradient = new Float64Array(this.count), reached = new Uint8Array(this.count);
    gradient[this.root] = reached[this.root] = 1;
    for (let k = 0, done = 0; k < this.order.length && done < steps; k++) {
      const node = this.order[k], upstream = gradient[node];
      for (let e = this.start[node]; e < this.start[node + 1] && done < steps; e++) {
        if (!this.differentiable[e]) continue;
        gradient[this.args[e]] += upstream * this.local[e];
        reached[this.args[e]] = 1;
        done++;
      }
    }
    return { gradient, reached };
  }

  // Step k of the sweep, as Python's Step: upstream × local = contribution, and the total before and after it.
  step(k) {
    const place = lastAtMost(this.stepStart, k);
    const node = this.order[place], edge = this.edges(node)[k - this.stepStart[place]], parent = this.args[edge];
    const { gradient, reached } = this.sweep(k);
    const upstream = gradient[node], local = this.local[edge], contribution = upstream * local;
    const before = reached[parent] ? gradient[parent] : null;
    return {
      k, node, parent, edge, argument: edge - this.start[node], upstream, local, contribution, before,
      after: (before ?? 0) + contribution, of: this.stepStart[place + 1] - this.stepStart[place],
      number: k - this.stepStart[place] + 1, gradient, reached,
    };
  }

  // The uses of a node that hand it a gradient: edges and the nodes that they belong to.
  usesOf(node) {
    const found = [];
    for (let i = this.users.start[node]; i < this.users.start[node + 1]; i++) {
      const edge = this.users.edge[i];
      if (this.differentiable[edge]) found.push({ edge, user: this.users.node[i] });
    }
    return found;
  }

  // The paths from the root to a node: how many, and those with the largest products. The k best to a node are made of
  // the k best to its users.
  paths(target, most = 5) {
    const inside = new Uint8Array(this.count);
    inside[target] = 1;
    for (let i = target + 1; i < this.count; i++) {
      for (const e of this.edges(i)) if (inside[this.args[e]]) { inside[i] = 1; break; }
    }
    if (!inside[this.root]) return { count: 0, best: [] };
    const best = new Map([[this.root, [{ product: 1, node: this.root, last: null }]]]);
    const counts = new Map([[this.root, 1]]);
    for (const node of this.order) {
      if (!inside[node] || node === target || !best.has(node)) continue;
      const arriving = best.get(node), number = counts.get(node);
      best.delete(node);
      for (const e of this.edges(node)) {
        const parent = this.args[e];
        if (!inside[parent]) continue;
        counts.set(parent, (counts.get(parent) || 0) + number);
        const more = arriving.map((last) => ({ product: last.product * this.local[e], node: parent, last }));
        const all = [...(best.get(parent) || []), ...more];
        all.sort((a, b) => size(b.product) - size(a.product));
        best.set(parent, all.slice(0, most));
      }
    }
    const found = (best.get(target) || []).map((link) => {
      const nodes = [];
      for (let at = link; at; at = at.last) nodes.unshift(at.node);
      return { product: link.product, share: link.product / this.gradient[target], nodes };
    });
    return { count: counts.get(target) || 0, best: found };
  }

  // The total derivatives of one node by all that a set of nodes takes from outside, along paths inside the set.
  totals(output, inside) {
    const total = new Map([[output, 1]]), found = new Map();
    for (let k = this.order.indexOf(output); k >= 0 && k < this.order.length; k++) {
      const node = this.order[k];
      if (!inside(node) || !total.has(node)) continue;
      for (const e of this.edges(node)) {
        const parent = this.args[e], into = inside(parent) && this.arity(parent) ? total : found;
        into.set(parent, (into.get(parent) || 0) + total.get(node) * this.local[e]);
      }
    }
    return found;
  }

  // The nodes between some leaves and some outputs, in order: what has to be computed anew when only the leaves change.
  between(leaves, outputs) {
    const above = new Uint8Array(this.count), below = new Uint8Array(this.count);
    for (const i of leaves) above[i] = 1;
    for (const i of outputs) below[i] = 1;
    const each = (i, test) => { for (let e = this.start[i]; e < this.start[i + 1]; e++) test(this.args[e]); };
    for (const i of this.operations) each(i, (a) => { if (above[a]) above[i] = 1; });
    for (let i = this.count - 1; i >= 0; i--) if (below[i]) each(i, (a) => { below[a] = 1; });
    return this.operations.filter((i) => above[i] && below[i]);
  }

  // Whether an op that the page cannot compute depends on some of these leaves: what follows is then not up to date.
  isStale(leaves) { return this.between(leaves, this.frozen).some((i) => this.frozen.has(i)); }
}

function size(x) { return Number.isNaN(x) ? Infinity : Math.abs(x); }

function offsets(counts) {
  const start = new Int32Array(counts.length + 1);
  for (let i = 0; i < counts.length; i++) start[i + 1] = start[i] + counts[i];
  return start;
}

function lastAtMost(sorted, x) {
  let low = 0, high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (sorted[middle] <= x) low = middle; else high = middle - 1;
  }
  return low;
}

function usersOf(graph) {
  const counts = new Int32Array(graph.count);
  for (const a of graph.args) counts[a]++;
  const start = offsets(counts), place = start.slice(), node = new Int32Array(graph.args.length), edge = node.slice();
  for (let i = 0; i < graph.count; i++) {
    for (let e = graph.start[i]; e < graph.start[i + 1]; e++) {
      const at = place[graph.args[e]]++;
      node[at] = i;
      edge[at] = e;
    }
  }
  return { start, node, edge };
}
