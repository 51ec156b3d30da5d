/**
 * The diagrams that a guide may ask for by `::picture{NAME}`. They are made in labs/diagrams, which is not there yet:
 * until it is, any name is taken, and only the name is shown.
 */
export const isPicture = (name: string): boolean => /^[a-z][a-z-]*$/.test(name);
