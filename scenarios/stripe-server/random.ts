/** 32 well-mixed bits of two whole numbers: the finalizer of MurmurHash3 (Appleby, public domain). */
export function mix(value: number, key: number): number {
  let bits = Math.imul(value ^ key, 0x9e3779b1)
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}

/** A key of 32 bits for a text, so that each use of a seed draws other numbers. */
export function keyOf(seed: number, text: string): number {
  let key = mix(seed, 0x5bd1e995)
  for (const character of text) key = mix(character.codePointAt(0) ?? 0, key)
  return key
}
