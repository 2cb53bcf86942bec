// Sends files to where an answer says: straight to the object store, with exactly the headers it names.

// What browsers say themselves, and let no script say.
const BROWSERS_OWN = new Set(['content-length', 'host']);

/** The name of the file that a ready operation announces, or nothing. */
export const fileOf = (operation) => (operation ? nameIn(operation.variables) : undefined);

const nameIn = ({ input, file }) => file?.name ?? input?.file?.name ?? input?.fileName;

/** The file of this name that the service has for trying things out, or nothing. */
export async function sample(name) {
  const answer = name && (await fetch(`/graphql/ide/ready/${encodeURIComponent(name)}`));
  return answer?.ok ? new File([await answer.arrayBuffer()], name) : undefined;
}

/** Send *file*, and say in words what came of it. */
export async function send({ url, method, headers }, file) {
  const told = headers.filter(({ name }) => !BROWSERS_OWN.has(name.toLowerCase())).map(({ name, value }) => [name, value]);
  try {
    // The bytes alone: a file with a type of its own would say another one than was announced.
    const answer = await fetch(url, { method, headers: told, body: await file.arrayBuffer() });
    return answer.ok
      ? { tone: 'good', text: `${file.name} is there.` }
      : { tone: 'bad', text: `The object store refused it (${answer.status}): size and type have to be those announced.` };
  } catch {
    return { tone: 'bad', text: 'The object store does not answer.' };
  }
}
