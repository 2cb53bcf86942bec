"""Arguments that many fields share."""

from typing import Annotated

import strawberry

SellerId = Annotated[
    strawberry.ID | None,
    strawberry.argument(
        description="The seller meant; your token's own when absent. A caller of one seller gets FORBIDDEN for another, "
        "a service has to name one."
    ),
]
ExpectedVersion = Annotated[
    int | None,
    strawberry.argument(description="The version you read. If it has changed since, nothing happens and you get CONFLICT."),
]

CustomerId = Annotated[strawberry.ID, strawberry.argument(description="The id of the customer, `cus_…`.")]
AddressId = Annotated[strawberry.ID, strawberry.argument(description="The id of the address, `adr_…`.")]
DocumentId = Annotated[strawberry.ID, strawberry.argument(description="The id of the document, `doc_…`.")]
DataExportId = Annotated[strawberry.ID, strawberry.argument(description="The id of the export, `exp_…`.")]
BulkImportId = Annotated[strawberry.ID, strawberry.argument(description="The id of the import, `imp_…`.")]
