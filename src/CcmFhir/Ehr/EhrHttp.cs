using System.Buffers;
using System.IO.Pipelines;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace CcmFhir.Ehr;

/// <summary>HTTP with one EHR: no redirect is followed, no cookie kept, no answer read beyond a bound, no body logged, and every fault
/// becomes an answer that says whether the request can have arrived.</summary>
internal sealed class EhrHttp : IDisposable
{
    /// <summary>Largest answer that is read, in bytes.</summary>
    public const int MaxAnswer = 8 * 1024 * 1024;

    private static readonly TimeSpan LongestFile = TimeSpan.FromHours(2);

    private static readonly MediaTypeHeaderValue FhirMediaType = new("application/fhir+json") { CharSet = "utf-8" };

    private readonly HttpClient http;
    private readonly SocketsHttpHandler handler;
    private readonly EhrConnection connection;
    private readonly TimeProvider clock;

    /// <summary>Makes the client.</summary>
    /// <exception cref="InvalidDataException">A certificate of the connection cannot be read.</exception>
    public EhrHttp(EhrConnection connection, TimeProvider clock)
    {
        (this.connection, this.clock) = (connection, clock);
        handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = connection.Timeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            MaxConnectionsPerServer = connection.Concurrency,
            MaxResponseHeadersLength = 64,
            AutomaticDecompression = System.Net.DecompressionMethods.None,
            SslOptions = Tls(connection),
        };
        http = new HttpClient(handler) { Timeout = System.Threading.Timeout.InfiniteTimeSpan };
    }

    /// <summary>One request. Only a caller that gives up makes it throw.</summary>
    /// <param name="method">Method.</param>
    /// <param name="address">Absolute address.</param>
    /// <param name="body">Body; null for none.</param>
    /// <param name="headers">Further headers.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async Task<EhrAnswer> SendAsync(
        HttpMethod method,
        Uri address,
        HttpContent? body,
        IReadOnlyList<(string Name, string Value)> headers,
        CancellationToken cancel
    )
    {
        using var request = new HttpRequestMessage(method, address) { Content = body };
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
        using var time = new CancellationTokenSource(connection.Timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(time.Token, cancel);
        EhrAnswer? head = null;
        try
        {
            using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            head = new EhrAnswer
            {
                Status = (int)answer.StatusCode,
                Location =
                    answer.Headers.Location?.OriginalString ?? answer.Content.Headers.ContentLocation?.OriginalString,
                Version = answer.Headers.ETag?.Tag.Trim('"'),
                RetryAfter = EhrAnswer.RetryAt(answer.Headers.RetryAfter, clock.GetUtcNow()),
            };
            var bytes = await ReadAsync(answer.Content, either.Token);
            return bytes is null
                ? head with
                {
                    Problem = DeliveryProblem.AnswerTooLarge,
                    Text = $"The EHR's answer is larger than {MaxAnswer} bytes and was not read.",
                }
                : head with
                {
                    Body = bytes,
                };
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return (head ?? new EhrAnswer()) with
            {
                Problem = DeliveryProblem.NoAnswer,
                Text = $"The EHR did not answer within {connection.Timeout.TotalSeconds} seconds.",
            };
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException)
        {
            return Broken(head, fault);
        }
    }

    /// <summary>Reads a file line by line; a line longer than <see cref="MaxAnswer"/> ends it.</summary>
    /// <returns>What went wrong; null when it was read to its end.</returns>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async Task<string?> ReadLinesAsync(
        Uri address,
        IReadOnlyList<(string Name, string Value)> headers,
        Func<byte[], ValueTask> line,
        CancellationToken cancel
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
        using var time = new CancellationTokenSource(LongestFile, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(time.Token, cancel);
        try
        {
            using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            if (!answer.IsSuccessStatusCode)
            {
                return FormattableString.Invariant($"HTTP {(int)answer.StatusCode}");
            }
            var reader = PipeReader.Create(await answer.Content.ReadAsStreamAsync(either.Token));
            while (true)
            {
                var read = await reader.ReadAsync(either.Token);
                var rest = read.Buffer;
                while (rest.PositionOf((byte)'\n') is { } end)
                {
                    await GiveAsync(rest.Slice(0, end), line);
                    rest = rest.Slice(rest.GetPosition(1, end));
                }
                if (rest.Length > MaxAnswer)
                {
                    return $"a line is longer than {MaxAnswer} bytes";
                }
                if (read.IsCompleted)
                {
                    await GiveAsync(rest, line);
                    return null;
                }
                reader.AdvanceTo(rest.Start, rest.End);
            }
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return "it did not come to its end in time";
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException)
        {
            return "the connection broke";
        }
    }

    private static ValueTask GiveAsync(ReadOnlySequence<byte> text, Func<byte[], ValueTask> line)
    {
        var bytes = text.ToArray();
        return bytes.AsSpan().ContainsAnyExcept(" \t\r"u8) ? line(bytes) : ValueTask.CompletedTask;
    }

    /// <summary>Content of a FHIR request.</summary>
    public static HttpContent Fhir(ReadOnlyMemory<byte> json) =>
        new ReadOnlyMemoryContent(json) { Headers = { ContentType = FhirMediaType } };

    /// <inheritdoc/>
    public void Dispose()
    {
        http.Dispose();
        handler.Dispose();
    }

    private static EhrAnswer Broken(EhrAnswer? head, Exception fault)
    {
        var kind = (fault as HttpRequestException)?.HttpRequestError;
        var answer = head ?? new EhrAnswer();
        return kind switch
        {
            HttpRequestError.SecureConnectionError => answer with
            {
                Problem = DeliveryProblem.Certificate,
                Left = false,
                Text =
                    "TLS with the EHR failed: "
                    + (fault.InnerException?.Message ?? fault.Message)
                    + " Nothing was sent. Check the EHR's certificate, 'trustedCertificates' and 'clientCertificate'.",
            },
            HttpRequestError.NameResolutionError
            or HttpRequestError.ConnectionError
            or HttpRequestError.ProxyTunnelError => answer with
            {
                Problem = DeliveryProblem.Unreachable,
                Left = false,
                Text = "The EHR cannot be reached: " + fault.Message + " Nothing was sent.",
            },
            _ => answer with
            {
                Problem = DeliveryProblem.NoAnswer,
                Text = "The connection broke before the whole answer was there.",
            },
        };
    }

    private static async Task<byte[]?> ReadAsync(HttpContent content, CancellationToken cancel)
    {
        if (content.Headers.ContentLength > MaxAnswer)
        {
            return null;
        }
        await using var stream = await content.ReadAsStreamAsync(cancel);
        using var kept = new MemoryStream();
        var buffer = new byte[16 * 1024];
        for (int read; (read = await stream.ReadAsync(buffer, cancel)) > 0; )
        {
            if (kept.Length + read > MaxAnswer)
            {
                return null;
            }
            kept.Write(buffer, 0, read);
        }
        return kept.ToArray();
    }

    private static SslClientAuthenticationOptions Tls(EhrConnection connection)
    {
        var options = new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        };
        if (connection.ClientCertificate is { } own)
        {
            options.ClientCertificates = [OwnCertificate(own, connection.ClientCertificatePassword)];
        }
        if (connection.TrustedCertificates is { } file)
        {
            var trusted = new X509Certificate2Collection();
            try
            {
                trusted.ImportFromPemFile(file);
            }
            catch (Exception fault) when (fault is IOException or System.Security.Cryptography.CryptographicException)
            {
                throw new InvalidDataException($"'ehr.trustedCertificates' cannot be read: {fault.Message}", fault);
            }
            var policy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            policy.CustomTrustStore.AddRange(trusted);
            options.CertificateChainPolicy = policy;
        }
        return options;
    }

    private static X509Certificate2 OwnCertificate(string file, string? password)
    {
        var secret = password is null ? null : EhrAuthorization.ReadSecret(password);
        try
        {
            return file.EndsWith(".pem", StringComparison.OrdinalIgnoreCase)
                ? secret is null
                    ? X509Certificate2.CreateFromPemFile(file)
                    : X509Certificate2.CreateFromEncryptedPemFile(file, secret)
                : X509CertificateLoader.LoadPkcs12FromFile(file, secret);
        }
        catch (Exception fault) when (fault is IOException or System.Security.Cryptography.CryptographicException)
        {
            throw new InvalidDataException($"'ehr.clientCertificate' cannot be read: {fault.Message}", fault);
        }
    }
}
