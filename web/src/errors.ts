/** What a person can change; its message is one line that says what. */
export class Refused extends Error {}

/** One line for a person, whatever went wrong. */
export function sentence(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n")[0];
}
