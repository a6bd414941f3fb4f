/** Whether a name is what a pattern says, in which `*` stands for any text: `apply.*`, `ducklake/*`. */
export function matches(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`))
  return new RegExp(`^${parts.join('.*')}$`, 's').test(name)
}
