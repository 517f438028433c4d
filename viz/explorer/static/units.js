// Inputs that are normalized: what a number is in the data's own units, and the other way round.

const NORMALIZED = "The network is given normalized inputs, (number − mean) / scale of the training rows; gradients and products are those of these. Maps of values, axes and the second edit field have the data's own units.";
const OF_TARGETS = " Targets are normalized too: the output and the loss are of normalized numbers, and the answer is told in the data's own units.";

export class Units {
  constructor(data, ofTargets) {
    this.note = NORMALIZED + (ofTargets ? OF_TARGETS : "");
    this.of = new Map(data?.nodes.map((node, i) => [node, { mean: data.mean[i], scale: data.scale[i] }]));
  }

  get known() { return this.of.size > 0; }

  has(node) { return this.of.has(node); }

  own(node, number) {
    const { mean, scale } = this.of.get(node) ?? { mean: 0, scale: 1 };
    return number * scale + mean;
  }

  normalized(node, number) {
    const { mean, scale } = this.of.get(node) ?? { mean: 0, scale: 1 };
    return (number - mean) / scale;
  }
}
