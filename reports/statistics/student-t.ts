/**
 * The probability that Student's t of the given degrees of freedom lies above `t`, by the finite series for whole degrees of
 * freedom. Source: Abramowitz and Stegun, "Handbook of Mathematical Functions" (1964), 26.7.3 and 26.7.4.
 *
 * @param t may be infinite, as where all pairs differ by the same amount
 * @param freedom whole, 1 or more
 * @throws RangeError for other degrees of freedom
 */
export function upperTail(t: number, freedom: number): number {
  if (!(Number.isInteger(freedom) && freedom >= 1))
    throw new RangeError(`Student's t needs whole degrees of freedom of 1 or more, not ${freedom}.`)
  if (t < 0) return 1 - upperTail(-t, freedom)
  if (t === Infinity) return 0
  return Math.max(0, (1 - withinProbability(t, freedom)) / 2)
}

/**
 * The t that is exceeded with the given probability.
 * @param probability above 0 and at most ½
 */
export function upperQuantile(probability: number, freedom: number): number {
  if (!(probability > 0 && probability <= 0.5))
    throw new RangeError(`An upper quantile needs a probability in (0, ½], not ${probability}.`)
  let low = 0
  let high = 1
  while (upperTail(high, freedom) > probability && high < 1e12) high *= 2
  // Sixty halvings leave nothing that a double could tell apart.
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2
    if (upperTail(middle, freedom) > probability) low = middle
    else high = middle
  }
  return high
}

/** P(|T| < t). */
function withinProbability(t: number, freedom: number): number {
  const angle = Math.atan(t / Math.sqrt(freedom))
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)]
  const odd = freedom % 2 === 1
  let term = odd ? cos : 1
  let sum = freedom === 1 ? 0 : term
  for (let k = odd ? 3 : 2; k <= freedom - 2; k += 2) {
    term *= (cos * cos * (k - 1)) / k
    sum += term
  }
  return odd ? (2 / Math.PI) * (angle + sin * sum) : sin * sum
}
