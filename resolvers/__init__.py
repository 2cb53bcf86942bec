"""Root fields of queries and mutations: unpack, call one service method, repack."""
