import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { answer, type Service } from './answer.ts'
import { noSuch, unrecognizedUrl } from './errors.ts'
import { hasLines, nestedBelow, renderLines, renderList, renderObject } from './lists.ts'
import { optionalText, refuseUnknown } from './parameters.ts'
import { isResource, type Resource } from './resources.ts'

const querySchema = z.record(z.string(), z.unknown())
const listPathSchema = z.object({ resource: z.string() })
const objectPathSchema = z.object({ resource: z.string(), id: z.string() })

export function addRoutes(app: FastifyInstance, service: Service): void {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, String(body)),
  )
  app.get('/__stats', () => service.statistics.snapshot())
  app.get('/v1/account', (request, reply) =>
    answer(service, request, reply, 'account', () => accountJson(service)),
  )
  app.post('/v1/customers', (request, reply) =>
    answer(service, request, reply, 'customers', () => makeCustomer(service, request, reply)),
  )
  addReadRoutes(app, service)
}

function addReadRoutes(app: FastifyInstance, service: Service): void {
  const { account, statistics } = service
  app.get('/v1/:resource', (request, reply) => {
    const resource = resourceOf(request, listPathSchema.parse(request.params).resource)
    return answer(service, request, reply, resource, () => {
      const page = renderList(account, resource, querySchema.parse(request.query))
      statistics.countPage(resource, request.url)
      return page
    })
  })
  app.get('/v1/:resource/:id', (request, reply) => {
    const { resource: name, id } = objectPathSchema.parse(request.params)
    const resource = resourceOf(request, name)
    return answer(service, request, reply, resource, () =>
      renderObject(account, resource, indexOf(service, resource, id)),
    )
  })
  app.get('/v1/:resource/:id/lines', (request, reply) => {
    const { resource: name, id } = objectPathSchema.parse(request.params)
    const parent = resourceOf(request, name)
    if (!hasLines(parent)) throw unrecognizedUrl(request.method, request.url)
    const nested = nestedBelow(parent)
    return answer(service, request, reply, nested, () => {
      const index = indexOf(service, parent, id)
      const page = renderLines(account, parent, index, querySchema.parse(request.query))
      statistics.countPage(nested, request.url)
      return page
    })
  })
}

function resourceOf(request: FastifyRequest, name: string): Resource {
  if (!isResource(name)) throw unrecognizedUrl(request.method, request.url.replace(/\?.*$/s, ''))
  return name
}

function indexOf({ account }: Service, resource: Resource, id: string): number {
  const index = account.find(resource, id)
  if (index === null) throw noSuch(resource, id, 'id')
  return index
}

/** Makes a customer; the same idempotency key again gets the same customer and makes none. */
function makeCustomer(service: Service, request: FastifyRequest, reply: FastifyReply): string {
  const { idempotent } = service
  const parameters = typeof request.body === 'string' ? request.body : ''
  const fields = Object.fromEntries(new URLSearchParams(parameters))
  refuseUnknown(fields, ['name', 'email', 'description'])
  const key = request.headers['idempotency-key']
  if (typeof key !== 'string') return madeCustomer(service, fields)
  void reply.header('idempotency-key', key)
  const before = idempotent.recall(key, parameters)
  if (before !== null) {
    void reply.header('idempotent-replayed', 'true')
    return before
  }
  const made = madeCustomer(service, fields)
  idempotent.remember(key, parameters, made)
  return made
}

function madeCustomer({ account }: Service, fields: Readonly<Record<string, string>>): string {
  const details = {
    name: optionalText(fields, 'name'),
    email: optionalText(fields, 'email'),
    description: optionalText(fields, 'description'),
  }
  return renderObject(account, 'customers', account.makeCustomer(details))
}

function accountJson({ account }: Service): string {
  return JSON.stringify({
    id: account.id,
    object: 'account',
    charges_enabled: true,
    country: 'US',
    default_currency: 'eur',
    details_submitted: true,
    email: 'account@example.com',
    payouts_enabled: true,
    type: 'standard',
  })
}
