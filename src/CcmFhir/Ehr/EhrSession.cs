using System.Globalization;
using CcmFhir.Options;

namespace CcmFhir.Ehr;

/// <summary>One EHR as this process knows it: its connection, the way in, its circuit, its pace. Shared by everything that speaks to it.</summary>
internal sealed class EhrSession : IDisposable
{
    private readonly EhrHttp http;
    private readonly EhrTokens tokens;
    private readonly TimeProvider clock;
    private readonly SemaphoreSlim places;
    private readonly Lock pace = new();
    private DateTimeOffset nextPlace = DateTimeOffset.MinValue;

    /// <summary>Opens a session; nothing is sent yet.</summary>
    /// <param name="practice">Slug of the practice.</param>
    /// <param name="connection">Its connection.</param>
    /// <param name="keys">Our keys for SMART Backend Services.</param>
    /// <param name="clock">The clock.</param>
    /// <exception cref="InvalidDataException">A certificate of the connection cannot be read.</exception>
    public EhrSession(string practice, EhrConnection connection, EhrKeys keys, TimeProvider clock)
    {
        (Practice, Connection, this.clock) = (practice, connection, clock);
        Circuit = new EhrCircuit(connection.Pause);
        http = new EhrHttp(connection, clock);
        tokens = new EhrTokens(connection, http, keys, practice, clock);
        places = new SemaphoreSlim(connection.Concurrency, connection.Concurrency);
    }

    /// <summary>Slug of the practice.</summary>
    public string Practice { get; }

    /// <summary>The practice's file, for claims that go out as files or hold one; null where none is made.</summary>
    public PracticeFile? File { get; init; }

    /// <summary>The connection.</summary>
    public EhrConnection Connection { get; }

    /// <summary>Whether the EHR works.</summary>
    public EhrCircuit Circuit { get; }

    /// <summary>The clock.</summary>
    public TimeProvider Clock => clock;

    /// <summary>What the EHR says it can do; asked once and kept for a day.</summary>
    public CapabilityCache Capabilities { get; } = new();

    /// <summary>References that were found at the EHR.</summary>
    public ReferenceCache References { get; } = new();

    /// <summary>A request under the base URL.</summary>
    /// <param name="method">Method.</param>
    /// <param name="path">What stands after the base URL and a slash, escaped where it has to be; empty for the base URL itself.</param>
    /// <param name="json">Body; null for none.</param>
    /// <param name="headers">Further headers.</param>
    /// <param name="cancel">Gives up; the only thing that makes it throw.</param>
    /// <param name="open">It is open to all and goes without a token; false for everything that holds data.</param>
    public async Task<EhrAnswer> SendAsync(
        HttpMethod method,
        string path,
        ReadOnlyMemory<byte>? json,
        IReadOnlyList<(string Name, string Value)> headers,
        CancellationToken cancel,
        bool open = false
    )
    {
        var address = new Uri(path.Length == 0 || path[0] == '?' ? Root + path : $"{Root}/{path}");
        return await SendAsync(method, address, json, headers, cancel, open);
    }

    /// <summary>A request to an address that the EHR gave us; one that is not of the EHR's own origin is not sent.</summary>
    public async Task<EhrAnswer> SendAsync(
        HttpMethod method,
        Uri address,
        IReadOnlyList<(string Name, string Value)> headers,
        CancellationToken cancel
    ) =>
        IsOwn(address)
            ? await SendAsync(method, address, null, headers, cancel, open: false)
            : new EhrAnswer
            {
                Problem = DeliveryProblem.Redirect,
                Left = false,
                Text = $"The EHR points at another host ({address.Host}); nothing was sent there.",
            };

    /// <summary>What stands behind the base URL in an address below it; null for one elsewhere.</summary>
    public string? Below(string url)
    {
        if (!Uri.TryCreate(url, UriKind.RelativeOrAbsolute, out var address))
        {
            return null;
        }
        if (!address.IsAbsoluteUri)
        {
            return url.StartsWith('/') ? null : url;
        }
        var text = address.AbsoluteUri;
        return IsOwn(address) && text.StartsWith(Root, StringComparison.Ordinal)
            ? text[Root.Length..] switch
            {
                ['/', .. var path] => path,
                ['?', ..] query => query,
                _ => null,
            }
            : null;
    }

    /// <summary>A file of the EHR may be fetched from there: its own origin, or one that its connection names.</summary>
    public bool MayFetch(Uri address) =>
        IsOwn(address) || Connection.Pull?.FileHosts.Any(host => SameOrigin(host, address)) == true;

    /// <summary>Reads a file line by line, however long it is.</summary>
    /// <param name="address">One that <see cref="MayFetch"/>.</param>
    /// <param name="withToken">Bring our token.</param>
    /// <param name="line">Gets each line that is not empty.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>What went wrong; null when the file was read to its end.</returns>
    public async Task<string?> ReadLinesAsync(
        Uri address,
        bool withToken,
        Func<byte[], ValueTask> line,
        CancellationToken cancel
    )
    {
        if (!MayFetch(address))
        {
            return $"It is at another host ({address.Host}).";
        }
        List<(string, string)> headers = [("Accept", "application/fhir+ndjson")];
        if (withToken)
        {
            var token = await tokens.GetAsync(false, cancel);
            if (token.Problem is { } problem)
            {
                return problem.Text ?? problem.StatusText;
            }
            if (token.Header is { } header)
            {
                headers.Add(("Authorization", header));
            }
        }
        return await http.ReadLinesAsync(address, headers, line, cancel);
    }

    private string Root => Connection.BaseUrl.AbsoluteUri.TrimEnd('/');

    private bool IsOwn(Uri address) => SameOrigin(Connection.BaseUrl, address);

    private static bool SameOrigin(Uri left, Uri right) =>
        right.IsAbsoluteUri
        && left.GetLeftPart(UriPartial.Authority) == right.GetLeftPart(UriPartial.Authority)
        && right.UserInfo.Length == 0;

    private async Task<EhrAnswer> SendAsync(
        HttpMethod method,
        Uri address,
        ReadOnlyMemory<byte>? json,
        IReadOnlyList<(string Name, string Value)> headers,
        CancellationToken cancel,
        bool open
    )
    {
        await places.WaitAsync(cancel);
        // A place is given back after the circuit has been told of the answer: once an EHR has asked for peace, whoever takes a place sees it.
        try
        {
            EhrAnswer answer;
            for (var renewed = false; ; renewed = true)
            {
                await PaceAsync(cancel);
                if (Circuit.AskedUntil(clock.GetUtcNow()) is { } asked)
                {
                    return LeftAlone(asked);
                }
                var token = open ? new EhrToken(null, null) : await tokens.GetAsync(renewed, cancel);
                if (token.Problem is not null)
                {
                    answer = token.Problem;
                    break;
                }
                List<(string, string)> all = [("Accept", "application/fhir+json"), .. headers];
                if (token.Header is { } header)
                {
                    all.Add(("Authorization", header));
                }
                using var body = json is { } bytes ? EhrHttp.Fhir(bytes) : null;
                answer = await http.SendAsync(method, address, body, all, cancel);
                // A token can be withdrawn before its time; an answer 401 did nothing, so a fresh one may try once more.
                if (answer.Status != 401 || renewed || open || !tokens.Renewable)
                {
                    break;
                }
            }
            Tell(answer);
            return answer;
        }
        finally
        {
            places.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        http.Dispose();
        tokens.Dispose();
        places.Dispose();
    }

    private static EhrAnswer LeftAlone(DateTimeOffset until) =>
        new()
        {
            Problem = DeliveryProblem.Busy,
            Left = false,
            RetryAfter = until,
            Text = string.Create(
                CultureInfo.InvariantCulture,
                $"The EHR asks to be left alone until {until.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z. Nothing was sent."
            ),
        };

    private void Tell(EhrAnswer answer)
    {
        var now = clock.GetUtcNow();
        if (answer.Problem is not null)
        {
            Circuit.Failed(now, answer.RetryAfter, answer.Text ?? answer.Problem);
        }
        else if (answer.Status is 429 or 401 or >= 500 or (>= 300 and < 400))
        {
            Circuit.Failed(
                now,
                answer.Status is 429 or 503 ? answer.RetryAfter : null,
                string.Create(CultureInfo.InvariantCulture, $"The EHR answers HTTP {answer.Status}.")
            );
        }
        else
        {
            Circuit.Worked(now);
        }
    }

    private async ValueTask PaceAsync(CancellationToken cancel)
    {
        if (Connection.RequestsPerMinute == 0)
        {
            return;
        }
        TimeSpan wait;
        lock (pace)
        {
            var now = clock.GetUtcNow();
            var mine = nextPlace > now ? nextPlace : now;
            nextPlace = mine + TimeSpan.FromMinutes(1.0 / Connection.RequestsPerMinute);
            wait = mine - now;
        }
        if (wait > TimeSpan.Zero)
        {
            await Task.Delay(wait, clock, cancel);
        }
    }
}
