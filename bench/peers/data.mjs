// What both Node servers share: the data, read as the drivers' and DataLoader's documentation writes it, and the resolvers.
// They read our collections with our stored names, one seller's live records, as the service does. They check no token.
import { readFileSync } from 'node:fs'
import { GraphQLError, GraphQLScalarType } from 'graphql'
import { MongoClient } from 'mongodb'
import { randomUUID } from 'node:crypto'

export const port = Number(process.env.PORT)
export const typeDefs = readFileSync(new URL('./schema.graphql', import.meta.url), 'utf8')

const seller = process.env.SELLER
const mine = { seller_id: seller, live: true }
const client = new MongoClient(process.env.MONGODB_URI)
await client.connect()
const db = client.db(process.env.MONGODB_DATABASE)
const customers = db.collection('customers')
const addresses = db.collection('addresses')
const documents = db.collection('documents')
const events = db.collection('customer_events')

const toCustomer = (d) => ({
  __typename: 'Customer', id: d._id, status: d.status, email: d.email, phone: d.phone, firstName: d.first_name,
  lastName: d.last_name, fullName: d.full_name, tags: d.tags, version: d.version, createdAt: d.created_at
})
const toAddress = (d) => ({
  __typename: 'Address', id: d._id, customerId: d.customer_id, kind: d.kind, isDefault: d.is_default, line1: d.line1,
  city: d.city, region: d.region, postalCode: d.postal_code, countryCode: d.country_code, createdAt: d.created_at
})
const toDocument = (d) => ({
  __typename: 'Document', id: d._id, customerId: d.customer_id, type: d.type, status: d.status,
  number: d.number_last_four == null ? null : '••••' + d.number_last_four, issuingCountry: d.issuing_country,
  createdAt: d.created_at
})
const kinds = { cus: [customers, toCustomer], adr: [addresses, toAddress], doc: [documents, toDocument] }

async function customer (id) {
  const found = await customers.findOne({ ...mine, _id: id })
  return found && toCustomer(found)
}

async function customerBy ({ key, sellerId }) {
  if (sellerId != null && sellerId !== seller) {
    throw new GraphQLError('This seller is not yours.', { extensions: { code: 'FORBIDDEN' } })
  }
  const found = await customers.findOne(key.id != null ? { ...mine, _id: key.id } : { ...mine, email: key.email.toLowerCase() })
  return found && toCustomer(found)
}

async function nodes (ids) {
  const found = new Map()
  await Promise.all(Object.entries(kinds).map(async ([prefix, [collection, map]]) => {
    const wanted = ids.filter((id) => id.startsWith(prefix + '_'))
    if (wanted.length === 0) return
    for (const d of await collection.find({ ...mine, _id: { $in: wanted } }).toArray()) found.set(d._id, map(d))
  }))
  return ids.map((id) => found.get(id) ?? null)
}

function cursor (order, node) {
  return Buffer.from(JSON.stringify([order, { t: node.createdAt.toISOString() }, node.id])).toString('base64url')
}

async function page (collection, map, order, conditions, { first, after }) {
  const filter = { ...mine, ...conditions }
  if (after != null) {
    const [, { t }, id] = JSON.parse(Buffer.from(after, 'base64url').toString())
    const moment = new Date(t)
    filter.created_at = { $lte: moment }
    filter.$or = [{ created_at: { $lt: moment } }, { created_at: moment, _id: { $lt: id } }]
  }
  const found = await collection.find(filter).sort({ created_at: -1, _id: -1 }).limit(first + 1).toArray()
  const hasNextPage = found.length > first
  if (hasNextPage) found.pop()
  const edges = found.map((d) => {
    const node = map(d)
    return { cursor: cursor(order, node), node }
  })
  const nodes = edges.map((edge) => edge.node)
  return { edges, nodes, pageInfo: { hasNextPage, endCursor: edges.length > 0 ? edges[edges.length - 1].cursor : null } }
}

function searched ({ filter }) {
  const words = (filter?.search ?? '').toLowerCase().split(/\s+/).filter(Boolean)
  return words.length === 0 ? {} : { $and: words.map((word) => ({ search_words: { $regex: '^' + RegExp.escape(word) } })) }
}
RegExp.escape ??= (text) => text.replace(/[.*+?^${}()|[\]\\-]/g, '\\$&')

async function ofCustomers (collection, map, ids) {
  const groups = new Map(ids.map((id) => [id, []]))
  const found = await collection.find({ ...mine, customer_id: { $in: ids } }).sort({ customer_id: 1, _id: 1 }).toArray()
  for (const d of found) groups.get(d.customer_id).push(map(d))
  return ids.map((id) => groups.get(id))
}
export const addressesOf = (ids) => ofCustomers(addresses, toAddress, ids)
export const documentsOf = (ids) => ofCustomers(documents, toDocument, ids)
export async function customersOf (ids) {
  const found = await customers.find({ ...mine, _id: { $in: ids } }).toArray()
  const byId = new Map(found.map((d) => [d._id, toCustomer(d)]))
  return ids.map((id) => byId.get(id))
}

const newId = (prefix) => `${prefix}_${randomUUID().replaceAll('-', '').slice(0, 26)}`

// Three inserts and a commit, no rules: the least that createCustomer has to do.
async function createCustomer (input) {
  const now = new Date()
  const stamp = { seller_id: seller, version: 1, live: true, created_at: now, updated_at: now }
  const name = [input.firstName, input.lastName].filter(Boolean)
  const stored = {
    _id: newId('cus'), ...stamp, kind: 'INDIVIDUAL', status: 'ACTIVE', email: input.email, email_verified: false,
    phone: input.phone, phone_verified: false, first_name: input.firstName, last_name: input.lastName,
    tags: input.tags ?? [], attributes: [], full_name: name.join(' '), sort_name: name.reverse().join(' ').toLowerCase(),
    search_words: [...name.map((word) => word.toLowerCase()), input.email, input.phone], document_keys: []
  }
  const places = (input.addresses ?? []).map((one) => ({
    _id: newId('adr'), ...stamp, customer_id: stored._id, kind: one.kind, is_default: true, line1: one.line1, city: one.city,
    region: one.region, postal_code: one.postalCode, country_code: one.countryCode
  }))
  await client.withSession((session) => session.withTransaction(async () => {
    await customers.insertOne(stored, { session })
    await addresses.insertMany(places, { session })
    await events.insertOne({
      _id: newId('evt'), seller_id: seller, customer_id: stored._id, type: 'CREATED', version: 1, actor: 'operator:bench',
      changed: [], occurred_at: now, pending: true,
      data: { email: stored.email, phone: stored.phone, firstName: stored.first_name, lastName: stored.last_name }
    }, { session })
  }, { writeConcern: { w: 'majority' } }))
  return { customer: toCustomer(stored), userErrors: [] }
}

export const resolvers = {
  DateTime: new GraphQLScalarType({ name: 'DateTime', serialize: (value) => value.toISOString() }),
  Query: {
    nodes: (_, { ids }) => nodes(ids),
    customer: (_, { id }) => customer(id),
    customerBy: (_, args) => customerBy(args),
    customers: (_, args) => page(customers, toCustomer, 'CREATED_AT_DESC', searched(args), args),
    addresses: (_, args) => page(addresses, toAddress, 'addresses', {}, args),
    documents: (_, args) => page(documents, toDocument, 'documents', {}, args)
  },
  Mutation: { createCustomer: (_, { input }) => createCustomer(input) }
}
export const typeOfNode = (value) => value.__typename

process.on('SIGTERM', () => process.exit(0))
