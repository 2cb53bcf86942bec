/** A page of any list. */
export interface Page<Item> {
  readonly nodes: readonly Item[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor?: string | null };
}

/** Yield every item of a list, page by page, as far as the loop goes: *read* gets the cursor behind which a page begins. */
export async function* everyItem<Item>(read: (after: string | null) => Promise<Page<Item>>): AsyncGenerator<Item, void, undefined> {
  for (let after: string | null = null, more = true; more; ) {
    const page: Page<Item> = await read(after);
    yield* page.nodes;
    after = page.pageInfo.endCursor ?? null;
    more = page.pageInfo.hasNextPage && after !== null;
  }
}
