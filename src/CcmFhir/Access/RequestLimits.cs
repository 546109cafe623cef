using System.Threading.RateLimiting;

namespace CcmFhir.Access;

/// <summary>How many requests one client may send, and how many an address that is not let in. A bucket each: it fills evenly over a minute and holds
/// a sixth of one, so that a burst is taken and a flood is not.</summary>
internal sealed class RequestLimits : IDisposable
{
    /// <summary>Requests a minute of one client of one practice; 0 for no limit.</summary>
    public const string ClientSetting = "Ccm:Limits:ClientPerMinute";

    /// <summary>Refused requests, and requests for tokens, a minute of one network address; 0 for no limit.</summary>
    public const string AddressSetting = "Ccm:Limits:AddressPerMinute";

    private const int ClientDefault = 120_000;
    private const int AddressDefault = 600;

    private readonly PartitionedRateLimiter<string>? clients;
    private readonly PartitionedRateLimiter<string>? addresses;

    /// <summary>Reads the settings.</summary>
    /// <exception cref="InvalidOperationException">A setting is no number from 0.</exception>
    public RequestLimits(IConfiguration settings)
    {
        clients = Limiter(Number(settings, ClientSetting, ClientDefault));
        addresses = Limiter(Number(settings, AddressSetting, AddressDefault));
    }

    /// <summary>Counts a request of a client. Null when it may go on; else how long it should wait.</summary>
    public TimeSpan? Client(string practice, string client) => Take(clients, $"{practice}\n{client}");

    /// <summary>Counts a refused request, or one for a token, of an address. Null when it may go on; else how long it should wait.</summary>
    public TimeSpan? Address(string? address) => Take(addresses, address ?? "");

    /// <inheritdoc/>
    public void Dispose()
    {
        clients?.Dispose();
        addresses?.Dispose();
    }

    private static int Number(IConfiguration settings, string name, int fallback) =>
        settings[name] is not { Length: > 0 } text ? fallback
        : int.TryParse(
            text,
            System.Globalization.NumberStyles.None,
            System.Globalization.CultureInfo.InvariantCulture,
            out var number
        )
            ? number
        : throw new InvalidOperationException($"{name} is '{text}'; it is a whole number from 0.");

    private static PartitionedRateLimiter<string>? Limiter(int perMinute) =>
        perMinute == 0
            ? null
            : PartitionedRateLimiter.Create<string, string>(key =>
                RateLimitPartition.GetTokenBucketLimiter(
                    key,
                    _ => new TokenBucketRateLimiterOptions
                    {
                        TokenLimit = Math.Max(perMinute / 6, Math.Min(perMinute, 10)),
                        TokensPerPeriod = Math.Max(perMinute / 60, 1),
                        ReplenishmentPeriod = TimeSpan.FromSeconds(perMinute >= 60 ? 1 : 60.0 / perMinute),
                        QueueLimit = 0,
                    }
                )
            );

    private static TimeSpan? Take(PartitionedRateLimiter<string>? limiter, string key)
    {
        using var lease = limiter?.AttemptAcquire(key);
        return lease is null or { IsAcquired: true } ? null
            : lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? after
            : TimeSpan.FromSeconds(1);
    }
}
