using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CcmFhir.Tests.Ehr;

/// <summary>TLS before an EHR: each connection gets the certificate that the test says, and may have to show one.</summary>
internal sealed class TlsFront : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly Uri behind;
    private readonly Func<bool> wrong;
    private readonly bool wantsClient;
    private readonly Authority right = new("right");
    private readonly Authority other = new("other");
    private readonly Task accepting;

    /// <param name="behind">Where the bytes go.</param>
    /// <param name="wrong">Whether the next connection gets a certificate that nobody trusts.</param>
    /// <param name="wantsClient">Whoever shows no certificate of the right authority is turned away.</param>
    public TlsFront(Uri behind, Func<bool> wrong, bool wantsClient = false)
    {
        (this.behind, this.wrong, this.wantsClient) = (behind, wrong, wantsClient);
        listener.Start();
        accepting = AcceptAsync();
    }

    public Uri BaseUrl => new($"https://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/fhir");

    /// <summary>The certificate authority to trust, PEM.</summary>
    public string AuthorityPem => right.Certificate.ExportCertificatePem();

    /// <summary>A certificate for the client with its key, PEM.</summary>
    public string ClientPem()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var leaf = right.Issue("client", key);
        return leaf.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem();
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Dispose();
        await accepting;
        right.Dispose();
        other.Dispose();
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await listener.AcceptTcpClientAsync(stop.Token));
            }
        }
        catch (Exception fault) when (fault is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using var inner = client;
            await using var tls = new SslStream(client.GetStream());
            await tls.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions
                {
                    ServerCertificate = (wrong() ? other : right).Server,
                    ClientCertificateRequired = wantsClient,
                    EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                    RemoteCertificateValidationCallback = (_, shown, _, _) =>
                        !wantsClient || (shown is X509Certificate2 leaf && right.Signed(leaf)),
                },
                stop.Token
            );
            using var back = new TcpClient();
            await back.ConnectAsync(IPAddress.Loopback, behind.Port, stop.Token);
            await using var stream = back.GetStream();
            await Task.WhenAny(tls.CopyToAsync(stream, stop.Token), stream.CopyToAsync(tls, stop.Token));
        }
        catch (Exception fault)
            when (fault is IOException or AuthenticationException or OperationCanceledException or SocketException)
        {
            // That connection is over.
        }
    }

    private sealed class Authority : IDisposable
    {
        private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        private readonly ECDsa serverKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        public Authority(string name)
        {
            var request = new CertificateRequest($"CN={name} authority", key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            Certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
            using var leaf = Issue("127.0.0.1", serverKey);
            Server = leaf.CopyWithPrivateKey(serverKey);
        }

        public X509Certificate2 Certificate { get; }

        public X509Certificate2 Server { get; }

        public X509Certificate2 Issue(string name, ECDsa of)
        {
            var request = new CertificateRequest($"CN={name}", of, HashAlgorithmName.SHA256);
            var names = new SubjectAlternativeNameBuilder();
            names.AddIpAddress(IPAddress.Loopback);
            request.CertificateExtensions.Add(names.Build());
            return request.Create(
                Certificate,
                DateTimeOffset.UtcNow.AddHours(-1),
                DateTimeOffset.UtcNow.AddHours(12),
                RandomNumberGenerator.GetBytes(8)
            );
        }

        public bool Signed(X509Certificate2 leaf)
        {
            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.Add(Certificate);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            return chain.Build(leaf);
        }

        public void Dispose()
        {
            Server.Dispose();
            Certificate.Dispose();
            serverKey.Dispose();
            key.Dispose();
        }
    }
}
