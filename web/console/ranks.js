// How like two lists are.

/** Ids that both have, in the order of the first. */
export function shared(one, other) {
  const there = new Set(other);
  return one.filter((id) => there.has(id));
}

/** Of all that either has, the share that both have: 0 to 1; 1 for two empty lists. */
export function overlap(one, other) {
  const both = shared(one, other).length;
  const all = new Set([...one, ...other]).size;
  return all === 0 ? 1 : both / all;
}

/**
 * Kendall's tau over what both have: 1 the same order, -1 the reverse; null below two items.
 * (Pairs in the same order less pairs in the other, by all pairs.)
 */
export function correlation(one, other) {
  const both = shared(one, other);
  if (both.length < 2) return null;
  const place = new Map(other.map((id, index) => [id, index]));
  let sum = 0;
  for (let left = 0; left < both.length; left += 1) {
    for (let right = left + 1; right < both.length; right += 1) {
      sum += Math.sign(place.get(both[right]) - place.get(both[left]));
    }
  }
  return sum / ((both.length * (both.length - 1)) / 2);
}
