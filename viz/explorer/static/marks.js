// The marks of classes: each its own shape, as in plot_decision_boundary, so that none is told by its colour alone.
import { s } from "./words.js";

// Corners on a circle, the first upwards after `turn` of a corner; every other one nearer for a star.
function corners(count, turn = 0, near = 1) {
  return Array.from({ length: count }, (_, i) => {
    const angle = ((i + turn) / count) * 2 * Math.PI, far = i % 2 ? near : 1;
    return [far * Math.sin(angle), -far * Math.cos(angle)];
  });
}

const PLUS = [[-0.35, -1], [0.35, -1], [0.35, -0.35], [1, -0.35], [1, 0.35], [0.35, 0.35], [0.35, 1], [-0.35, 1], [-0.35, 0.35], [-1, 0.35], [-1, -0.35], [-0.35, -0.35]];
const CROSS = PLUS.map(([x, y]) => [(x - y) * 0.75, (x + y) * 0.75]);
const SHAPES = [corners(24), corners(4, 0.5), corners(3), corners(4), corners(3, 0.5), PLUS, CROSS, corners(10, 0, 0.4), corners(5), corners(6)];

export function mark(kind, x, y, color, radius = 4) {
  const points = SHAPES[kind % SHAPES.length].map(([dx, dy]) => `${(x + radius * dx).toFixed(2)},${(y + radius * dy).toFixed(2)}`);
  return s("polygon", { points: points.join(" "), fill: color, class: "mark" });
}
