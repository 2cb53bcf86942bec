// How scripts hear from pytest (one JSON object on standard input) and tell it (one JSON object for each line).
import { text } from 'node:stream/consumers';

export const given = JSON.parse((await text(process.stdin)) || '{}');

export function tell(facts) {
  process.stdout.write(`${JSON.stringify(facts)}\n`);
}

/** Run the scenario that was asked for. */
export async function play(scenarios) {
  const scenario = scenarios[given.scenario];
  if (!scenario) throw new Error(`There is no scenario ${given.scenario}; there are ${Object.keys(scenarios)}.`);
  try {
    await scenario();
  } catch (error) {
    // Without the whole answer that some clients attach to their errors.
    process.stderr.write(`${error?.stack ?? JSON.stringify(error)}\n`);
    process.exit(1);
  }
}
