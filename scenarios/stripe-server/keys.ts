import {
  closedToRestrictedKeys,
  expiredKey,
  foreignAccount,
  invalidKey,
  missingPermission,
  noKey,
} from './errors.ts'
import type { KeyGrant } from './options.ts'
import { RESOURCE_FACTS, type Resource } from './resources.ts'

export class Keys {
  readonly #accountId: string
  readonly #grants: ReadonlyMap<string, KeyGrant>
  readonly #requests = new Map<string, number>()

  constructor(accountId: string, grants: Readonly<Record<string, KeyGrant>>) {
    this.#accountId = accountId
    this.#grants = new Map(Object.entries(grants))
  }

  /**
   * Lets a request through, or throws what Stripe answers.
   * @param target the resource that is read, or the account itself
   * @throws StripeApiError
   */
  admit(
    authorization: string | undefined,
    onAccount: string | undefined,
    target: Resource | 'account',
  ): void {
    const key = keyIn(authorization)
    if (key === null) throw noKey()
    const grant = this.#grants.get(key)
    if (grant === undefined) throw invalidKey(key)
    const requests = (this.#requests.get(key) ?? 0) + 1
    this.#requests.set(key, requests)
    if (requests > (grant.revokedAfterRequests ?? Number.POSITIVE_INFINITY)) throw expiredKey(key)
    if (onAccount !== undefined && onAccount !== this.#accountId) throw foreignAccount(key, onAccount)
    if (grant.allowed === null) return
    if (target === 'account') throw closedToRestrictedKeys(key, this.#accountId)
    if (!grant.allowed.includes(target))
      throw missingPermission(key, this.#accountId, RESOURCE_FACTS[target].permission)
  }
}

function keyIn(authorization: string | undefined): string | null {
  const [, bearer, basic] = /^(?:Bearer (\S+)|Basic (\S+))$/.exec(authorization ?? '') ?? []
  if (bearer !== undefined) return bearer
  if (basic === undefined) return null
  return Buffer.from(basic, 'base64').toString('latin1').replace(/:.*$/s, '') || null
}
