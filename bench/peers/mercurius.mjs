// Mercurius on Fastify, every operation compiled from its second call on, with its own loaders.
import Fastify from 'fastify'
import mercurius from 'mercurius'
import { addressesOf, customersOf, documentsOf, port, resolvers, typeDefs, typeOfNode } from './data.mjs'

// Mercurius asks for the same one as often as it is wanted.
function loader (load, idOf) {
  return {
    async loader (queries) {
      const ids = queries.map(({ obj }) => idOf(obj))
      const different = [...new Set(ids)]
      const found = await load(different)
      const places = new Map(different.map((id, place) => [id, found[place]]))
      return ids.map((id) => places.get(id))
    },
    opts: { cache: false }
  }
}
const owner = { customer: loader(customersOf, (one) => one.customerId) }

const app = Fastify()
await app.register(mercurius, {
  schema: typeDefs,
  resolvers: { ...resolvers, Node: { resolveType: typeOfNode } },
  jit: 1,
  loaders: {
    Customer: {
      addresses: loader(addressesOf, (one) => one.id),
      documents: loader(documentsOf, (one) => one.id)
    },
    Address: owner,
    Document: owner
  }
})
await app.listen({ host: '127.0.0.1', port })
