/**
 * Takes secrets out of a text, also where JSON or a URL has escaped them. The cloud may repeat a token in a message, and
 * nothing that this project prints, reports or answers may carry one on (DESIGN 5.7).
 */
export function redactor(secrets: string[]): (text: string) => string {
  const forms = new Set<string>();
  for (const secret of secrets) {
    forms.add(secret);
    forms.add(JSON.stringify(secret).slice(1, -1));
    forms.add(encodeURIComponent(secret));
  }
  // The longest first: one secret may be part of another.
  const ordered = [...forms].filter((form) => form !== "").sort((a, b) => b.length - a.length);
  return (text) => ordered.reduce((clean, secret) => clean.replaceAll(secret, "***"), text);
}
