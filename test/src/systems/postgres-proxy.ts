import { createServer, connect } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** What becomes of the next commit that passes. */
export type CommitFault = 'none' | 'lose-answer' | 'lose-request';

/** A TCP relay in front of a server that can lose a COMMIT or the answer to it, and then cuts the connection. */
export class CommitProxy implements AsyncDisposable {
  fault: CommitFault = 'none';
  faults = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(host: string, port: number) {
    this.#server = createServer((client) => {
      this.#relay(client, connect(port, host));
    });
  }

  static async start(host: string, port: number): Promise<CommitProxy> {
    const proxy = new CommitProxy(host, port);
    await new Promise<void>((resolve) => {
      proxy.#server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #relay(client: Socket, server: Socket): void {
    let answerIsLost = false;
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', end);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    client.on('data', (bytes) => {
      const commits = this.fault !== 'none' && bytes.includes('mr_commit');
      const fault = this.fault;
      if (commits) {
        this.fault = 'none';
        this.faults++;
      }
      if (commits && fault === 'lose-request') {
        end();
        return;
      }
      answerIsLost ||= commits;
      server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (answerIsLost) end();
      else client.write(bytes);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
  }
}
