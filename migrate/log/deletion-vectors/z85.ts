/** Base85 of ZeroMQ's RFC 32, in which Delta writes the UUIDs of deletion vectors, and inline ones. */
const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#'
const VALUE_OF: ReadonlyMap<string, number> = new Map(
  Array.from(ALPHABET, (character, value) => [character, value]),
)

const CHARACTERS = 5
const BYTES = 4

/** @throws Error for text of another length or alphabet */
export function decodeZ85(text: string): Uint8Array {
  if (text.length % CHARACTERS !== 0) throw new Error(`base85 text has ${text.length} characters`)
  const bytes = new Uint8Array((text.length / CHARACTERS) * BYTES)
  const view = new DataView(bytes.buffer)
  for (let group = 0; group * CHARACTERS < text.length; group += 1) {
    let word = 0
    for (const character of text.slice(group * CHARACTERS, (group + 1) * CHARACTERS)) {
      const value = VALUE_OF.get(character)
      if (value === undefined) throw new Error(`base85 text has the character ${JSON.stringify(character)}`)
      word = word * ALPHABET.length + value
    }
    if (word > 0xff_ff_ff_ff) throw new Error('base85 text stands for more than 32 bits')
    view.setUint32(group * BYTES, word)
  }
  return bytes
}
