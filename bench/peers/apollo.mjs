// Apollo Server 5, standalone, with DataLoader per request.
import { ApolloServer } from '@apollo/server'
import { startStandaloneServer } from '@apollo/server/standalone'
import DataLoader from 'dataloader'
import { addressesOf, customersOf, documentsOf, port, resolvers, typeDefs, typeOfNode } from './data.mjs'

const owner = { customer: (one, _, { loaders }) => loaders.customers.load(one.customerId) }
const server = new ApolloServer({
  typeDefs,
  resolvers: {
    ...resolvers,
    Node: { __resolveType: typeOfNode },
    Customer: {
      addresses: (one, _, { loaders }) => loaders.addresses.load(one.id),
      documents: (one, _, { loaders }) => loaders.documents.load(one.id)
    },
    Address: owner,
    Document: owner
  }
})
await startStandaloneServer(server, {
  listen: { host: '127.0.0.1', port },
  context: async () => ({
    loaders: {
      addresses: new DataLoader(addressesOf),
      customers: new DataLoader(customersOf),
      documents: new DataLoader(documentsOf)
    }
  })
})
