// Reads AsyncAPI documents as tools of the AsyncAPI initiative do, and tells what they find wrong with them.
import { Parser } from '@asyncapi/parser';
import { given, tell } from './lines.mjs';

const LEVELS = ['error', 'warning', 'information', 'hint'];
const { document, diagnostics } = await new Parser().parse(given.document);

for (const { severity, code, message, path } of diagnostics) {
  tell({ what: 'diagnostic', level: LEVELS[severity], code, message, path: path.join('.') });
}
if (document) {
  const sent = document.operations().filterBySend();
  tell({
    what: 'document',
    version: document.version(),
    channels: document.channels().all().map((channel) => channel.address()),
    sent: sent.flatMap((operation) => operation.messages().all().map((message) => message.name())),
  });
}
