import type { Storage } from '../../platform/endpoints.ts'
import type { ActionSet, MetadataAction, ProtocolAction } from './actions.ts'
import { type DataFile, dataFileOf, fileIdentity } from './data-file.ts'

/** What a table is made of after some of its log: actions are taken in the order of their versions. */
export class TableState {
  readonly #table: Storage
  readonly #files = new Map<string, DataFile>()
  readonly transactions = new Map<string, number>()
  readonly domains = new Map<string, string>()
  metadata: MetadataAction | null = null
  protocol: ProtocolAction | null = null

  constructor(table: Storage) {
    this.#table = table
  }

  get files(): readonly DataFile[] {
    return [...this.#files.values()]
  }

  /** Takes over what another state has come to. */
  become(other: TableState): void {
    this.metadata = other.metadata
    this.protocol = other.protocol
    replace(this.#files, other.#files)
    replace(this.transactions, other.transactions)
    replace(this.domains, other.domains)
  }

  /** @param logFile where the actions stand, for errors */
  apply(actions: ActionSet, logFile: string): void {
    this.protocol = actions.protocol ?? this.protocol
    this.metadata = actions.metadata ?? this.metadata
    // A commit may remove a file and add it again with another deletion vector; never both of one identity.
    for (const { path, deletionVector } of actions.removes)
      this.#files.delete(fileIdentity(path, deletionVector))
    for (const add of actions.adds) {
      this.#files.set(fileIdentity(add.path, add.deletionVector), dataFileOf(this.#table, add, logFile))
    }
    for (const { appId, version } of actions.transactions) this.transactions.set(appId, version)
    for (const { domain, configuration, removed } of actions.domains) {
      if (removed) this.domains.delete(domain)
      else this.domains.set(domain, configuration)
    }
  }
}

function replace<K, V>(map: Map<K, V>, by: ReadonlyMap<K, V>): void {
  map.clear()
  for (const [key, value] of by) map.set(key, value)
}
