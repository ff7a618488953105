/**
 * A problem that the user has to fix before a local stack can start: Java is missing, a port range is full, a part dies at start.
 * `message` is one clear sentence that names what to do; `npm start` and the tests print it unchanged.
 */
export class StackFault extends Error {
  override readonly name = 'StackFault'
}
