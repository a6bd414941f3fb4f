/** A server that was started here, with how to end it. */
export interface Started<T> {
  readonly server: T
  readonly stop: () => Promise<void>
}
