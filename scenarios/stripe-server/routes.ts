import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { CustomerDetails } from './account.ts'
import { answer, type Service } from './answer.ts'
import { noSuch, unrecognizedUrl } from './errors.ts'
import { hasLines, nestedBelow, renderLines, renderList, renderObject } from './lists.ts'
import { optionalText, refuseUnknown } from './parameters.ts'
import { isResource, type Resource } from './resources.ts'
import type { JsonOut } from './template.ts'

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
    answer(service, request, reply, 'account', (out) => out.text(accountJson(service))),
  )
  app.post('/v1/customers', (request, reply) =>
    answer(service, request, reply, 'customers', (out) => makeCustomer(out, service, request, reply)),
  )
  addReadRoutes(app, service)
}

function addReadRoutes(app: FastifyInstance, service: Service): void {
  const { account, statistics } = service
  app.get('/v1/:resource', (request, reply) => {
    const resource = resourceOf(request, listPathSchema.parse(request.params).resource)
    return answer(service, request, reply, resource, (out) => {
      renderList(out, account, resource, querySchema.parse(request.query))
      statistics.countPage(resource, request.url)
    })
  })
  app.get('/v1/:resource/:id', (request, reply) => {
    const { resource: name, id } = objectPathSchema.parse(request.params)
    const resource = resourceOf(request, name)
    return answer(service, request, reply, resource, (out) =>
      renderObject(out, account, resource, indexOf(service, resource, id)),
    )
  })
  app.get('/v1/:resource/:id/lines', (request, reply) => {
    const { resource: name, id } = objectPathSchema.parse(request.params)
    const parent = resourceOf(request, name)
    if (!hasLines(parent)) throw unrecognizedUrl(request.method, request.url)
    const nested = nestedBelow(parent)
    return answer(service, request, reply, nested, (out) => {
      const index = indexOf(service, parent, id)
      renderLines(out, account, parent, index, querySchema.parse(request.query))
      statistics.countPage(nested, request.url)
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
function makeCustomer(out: JsonOut, service: Service, request: FastifyRequest, reply: FastifyReply): void {
  const { account, idempotent } = service
  const parameters = typeof request.body === 'string' ? request.body : ''
  const fields = Object.fromEntries(new URLSearchParams(parameters))
  refuseUnknown(fields, ['name', 'email', 'description'])
  const key = request.headers['idempotency-key']
  const before = typeof key === 'string' ? idempotent.recall(key, parameters) : null
  const index = before ?? account.makeCustomer(detailsIn(fields))
  if (typeof key === 'string') {
    idempotent.remember(key, parameters, index)
    void reply.header('idempotency-key', key)
  }
  if (before !== null) void reply.header('idempotent-replayed', 'true')
  renderObject(out, account, 'customers', index)
}

function detailsIn(fields: Readonly<Record<string, string>>): CustomerDetails {
  return {
    name: optionalText(fields, 'name'),
    email: optionalText(fields, 'email'),
    description: optionalText(fields, 'description'),
  }
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
