const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text that went through escapeText, for XML and HTML, in elements and in quoted attributes alike. */
export const markup = (text: string): string => text.replaceAll(/[&<>"']/g, (found) => entities[found] ?? '');
