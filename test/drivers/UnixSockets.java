import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import javax.net.SocketFactory;

/** UnixSockets.java: lets the JDBC driver, which knows TCP only, connect to the unix socket that PGHOST and PGPORT name. */
public final class UnixSockets extends SocketFactory {
    @Override public Socket createSocket() throws IOException {
        return new UnixSocket();
    }

    @Override public Socket createSocket(String host, int port) throws IOException {
        return createSocket();
    }

    @Override public Socket createSocket(String host, int port, InetAddress localHost, int localPort) throws IOException {
        return createSocket();
    }

    @Override public Socket createSocket(InetAddress host, int port) throws IOException {
        return createSocket();
    }

    @Override public Socket createSocket(InetAddress host, int port, InetAddress localHost, int localPort) throws IOException {
        return createSocket();
    }

    /** A socket whose address is not the one it is told, and that has no options. */
    private static final class UnixSocket extends Socket {
        private final SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);

        UnixSocket() throws IOException {}

        @Override public void connect(SocketAddress ignored, int timeout) throws IOException {
            channel.connect(UnixDomainSocketAddress.of(System.getenv("PGHOST") + "/.s.PGSQL." + System.getenv("PGPORT")));
        }

        @Override public void connect(SocketAddress ignored) throws IOException {
            connect(ignored, 0);
        }

        @Override public boolean isConnected() {
            return channel.isConnected();
        }

        @Override public boolean isClosed() {
            return !channel.isOpen();
        }

        @Override public InputStream getInputStream() {
            return Channels.newInputStream(channel);
        }

        @Override public OutputStream getOutputStream() {
            return Channels.newOutputStream(channel);
        }

        @Override public void close() throws IOException {
            channel.close();
        }

        @Override public void setTcpNoDelay(boolean on) {}

        @Override public void setKeepAlive(boolean on) {}

        @Override public void setSoTimeout(int milliseconds) {}

        @Override public int getSoTimeout() {
            return 0;
        }
    }
}
