/**
 * Something that a person has to put right before a local stack can start: Java is missing, a port range is full, a part dies at
 * once. `message` is one clear sentence that names what to do; `npm start` and the tests print it as it stands.
 */
export class StackFault extends Error {
  override readonly name = 'StackFault'
}
