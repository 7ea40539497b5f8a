/** Of the whole workspace; a unit test holds it against the package files. */
export const millraceVersion = '0.1.0';
