"""A customer as it is read together with what belongs to it."""

from typing import Literal, NamedTuple

from models.address import Address
from models.customer import Customer
from models.document import Document
from models.row import Row
from models.stored import Fields


class Parts(NamedTuple):
    """What is read of customers, of their addresses and of their documents: fields, all of them, or False for nothing."""

    customers: Fields
    addresses: Fields | Literal[False] = False
    documents: Fields | Literal[False] = False


class Whole(NamedTuple):
    """A customer and what belongs to it, oldest first; None for what was not read."""

    customer: Row[Customer]
    addresses: list[Row[Address]] | None
    documents: list[Row[Document]] | None
