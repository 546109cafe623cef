using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CcmFhir.Load;

/// <summary>One keep-alive HTTP/1.1 connection that sends requests rendered beforehand and looks at nothing but status and length: the
/// driver shares the cores with the server, so what it does itself must be next to nothing.</summary>
public sealed class Connection : IDisposable
{
    private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
    {
        NoDelay = true,
    };
    private byte[] buffer = new byte[16 * 1024];

    /// <summary>Bytes of the last answer's body, valid until the next request.</summary>
    public ReadOnlyMemory<byte> Body { get; private set; }

    /// <summary>The bytes of a request.</summary>
    /// <param name="method">Method.</param>
    /// <param name="path">Path with query, as it is sent.</param>
    /// <param name="body">FHIR JSON; null for none.</param>
    public static byte[] Render(string method, string path, byte[]? body)
    {
        var head = string.Create(
            CultureInfo.InvariantCulture,
            $"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/fhir+json\r\n"
        );
        head += body is null
            ? "\r\n"
            : string.Create(
                CultureInfo.InvariantCulture,
                $"Content-Type: application/fhir+json\r\nContent-Length: {body.Length}\r\n\r\n"
            );
        return [.. Encoding.ASCII.GetBytes(head), .. body ?? []];
    }

    /// <summary>Connects.</summary>
    public async ValueTask OpenAsync(Uri address, CancellationToken cancel) =>
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(address.Host), address.Port), cancel);

    /// <summary>Sends a request and reads the whole answer.</summary>
    /// <returns>HTTP status.</returns>
    /// <exception cref="IOException">The connection ended, or the answer has neither Content-Length nor chunks.</exception>
    /// <exception cref="SocketException">The connection broke.</exception>
    public async ValueTask<int> SendAsync(ReadOnlyMemory<byte> request, CancellationToken cancel)
    {
        for (var sent = 0; sent < request.Length; )
        {
            sent += await socket.SendAsync(request[sent..], SocketFlags.None, cancel);
        }
        var filled = 0;
        int headEnd;
        do
        {
            filled += await ReceiveAsync(filled, cancel);
        } while ((headEnd = buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8)) < 0);
        var (status, length) = ReadHead(buffer.AsSpan(0, headEnd + 2));
        if (length is null)
        {
            Body = await ReceiveChunksAsync(headEnd + 4, filled, cancel);
            return status;
        }
        var end = headEnd + 4 + length.Value;
        if (end > buffer.Length)
        {
            Array.Resize(ref buffer, end);
        }
        while (filled < end)
        {
            filled += await ReceiveAsync(filled, cancel);
        }
        Body = buffer.AsMemory(headEnd + 4, length.Value);
        return status;
    }

    /// <inheritdoc/>
    public void Dispose() => socket.Dispose();

    private async ValueTask<int> ReceiveAsync(int filled, CancellationToken cancel)
    {
        if (filled == buffer.Length)
        {
            Array.Resize(ref buffer, buffer.Length * 2);
        }
        var read = await socket.ReceiveAsync(buffer.AsMemory(filled), SocketFlags.None, cancel);
        return read > 0 ? read : throw new IOException("The server closed the connection before its answer was whole.");
    }

    // Chunks [RFC 9112, 7.1]: length in hexadecimal, the bytes, and a chunk of no bytes at the end; a page is sent so.
    private async ValueTask<ReadOnlyMemory<byte>> ReceiveChunksAsync(int at, int filled, CancellationToken cancel)
    {
        var body = new MemoryStream();
        while (true)
        {
            int line;
            while ((line = buffer.AsSpan(at, filled - at).IndexOf("\r\n"u8)) < 0)
            {
                filled += await ReceiveAsync(filled, cancel);
            }
            if (!Utf8Parser.TryParse(buffer.AsSpan(at, line), out int length, out _, 'x'))
            {
                throw new IOException("A chunk of the answer does not begin with its length.");
            }
            var begin = at + line + 2;
            while (filled < begin + length + 2)
            {
                filled += await ReceiveAsync(filled, cancel);
            }
            at = begin + length + 2;
            if (length == 0)
            {
                return body.ToArray();
            }
            body.Write(buffer, begin, length);
        }
    }

    private static (int Status, int? Length) ReadHead(ReadOnlySpan<byte> head)
    {
        if (!Utf8Parser.TryParse(head["HTTP/1.1 ".Length..], out int status, out _))
        {
            throw new IOException("The answer does not begin as HTTP/1.1 does.");
        }
        if (status is 204 or 304)
        {
            return (status, 0);
        }
        if (head.IndexOf("\r\nTransfer-Encoding: chunked"u8) >= 0)
        {
            return (status, null);
        }
        var name = "\r\nContent-Length: "u8;
        var at = head.IndexOf(name);
        return at >= 0 && Utf8Parser.TryParse(head[(at + name.Length)..], out int length, out _)
            ? (status, length)
            : throw new IOException("The answer has neither Content-Length nor chunks.");
    }
}
