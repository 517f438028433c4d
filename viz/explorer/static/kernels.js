// The elementary functions that the derivative table is written in, as the float kit of Python has them: IEEE results
// at the edges, nothing raises. What JavaScript's Math lacks or does differently is here; n-ary ops are at the end.

const TWO_BY_ROOT_PI = 1.1283791670955126;
const ROOT_PI = 1.772453850905516;

// erf by the series with positive terms alone (Abramowitz & Stegun 7.1.6); for |x| below 2 no digit is lost.
function erfSeries(x) {
  let term = x, total = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(total) && n < 200; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return TWO_BY_ROOT_PI * Math.exp(-x * x) * total;
}

// erfc by its continued fraction (Abramowitz & Stegun 7.1.14), for x of 2 and more.
function erfcFraction(x) {
  if (x > 27.3) return 0;
  let tail = x;
  for (let n = 90; n > 0; n--) tail = x + n / 2 / tail;
  const onGrid = Math.round(x * 1048576) / 1048576; // its square is exact
  return (Math.exp(-onGrid * onGrid) * Math.exp(-(x - onGrid) * (x + onGrid))) / (ROOT_PI * tail);
}

const GRID = 1.5 * 2 ** 32;

export const kit = {
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sqrt: Math.sqrt,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  tanh: Math.tanh,
  abs: Math.abs,
  sigmoid: (a) => (a > -709 ? 1 / (1 + Math.exp(-a)) : Number.isNaN(a) ? NaN : Math.exp(a)),
  sign: (a) => (a > 0 ? 1 : a < 0 ? -1 : a),
  maximum: (a, b) => (a > b || a !== a ? a : b),
  minimum: (a, b) => (a < b || a !== a ? a : b),
  on_grid: (a) => a + GRID - GRID,
  erf: (x) => (Math.abs(x) < 2 ? erfSeries(x) : x > 0 ? 1 - erfcFraction(x) : x < 0 ? erfcFraction(-x) - 1 : NaN),
  erfc: (x) =>
    Math.abs(x) < 0.5 ? 1 - erfSeries(x)
    : Math.abs(x) < 2 ? 1 - erfSeries(x)
    : x > 0 ? erfcFraction(x) : x < 0 ? 2 - erfcFraction(-x) : NaN,
  pow: (a, b) => (a === 1 || (a === -1 && !Number.isFinite(b) && b === b) ? 1 : a ** b),
};

// A sum that keeps what rounding takes away (Neumaier 1974), as Python's own sum does since 3.12.
function addUp(count, term) {
  let total = 0, lost = 0;
  for (let i = 0; i < count; i++) {
    const x = term(i), next = total + x;
    lost += Math.abs(total) >= Math.abs(x) ? total - next + x : x - next + total;
    total = next;
  }
  return Number.isFinite(lost) ? total + lost : total;
}

// Ops of any number of arguments. `at(i)` is argument i of `n`; a partial is by argument i.
export const nary = {
  sum: { value: (n, at) => addUp(n, at), partial: () => 1 },
  mean: { value: (n, at) => addUp(n, at) / n, partial: (i, y, n) => 1 / n },
  dot: {
    value: (n, at) => addUp(n / 2, (i) => at(i) * at(i + n / 2)),
    partial: (i, y, n, at) => at(i < n / 2 ? i + n / 2 : i - n / 2),
  },
  logsumexp: {
    value(n, at) {
      let top = -Infinity;
      for (let i = 0; i < n; i++) {
        if (at(i) !== at(i)) return NaN;
        if (at(i) > top) top = at(i);
      }
      if (!Number.isFinite(top)) return top;
      let skipped = false; // the largest is exactly 1 after the shift; without it the small ones keep their digits
      return top + Math.log1p(addUp(n, (i) => {
        if (at(i) === top && !skipped) { skipped = true; return 0; }
        return Math.exp(at(i) - top);
      }));
    },
    partial(i, y, n, at) {
      const whole = addUp(n, (j) => Math.exp(at(j) - y));
      return Math.exp(at(i) - y) / (whole === whole ? whole : 1);
    },
  },
};
