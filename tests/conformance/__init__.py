"""The tools and clients that users of this API have, run against it; see README.md."""
