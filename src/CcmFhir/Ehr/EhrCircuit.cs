namespace CcmFhir.Ehr;

/// <summary>Keeps us from an EHR that does not work: after some faults in a row it is left alone for a while, then asked once. What
/// Retry-After says holds for all requests. One for each EHR, so that a dead one slows nobody else.</summary>
/// <param name="firstPause">Pause after the first faults in a row; it doubles while they go on.</param>
internal sealed class EhrCircuit(TimeSpan firstPause)
{
    private const int FaultsInARow = 5;
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan ProbeTime = TimeSpan.FromMinutes(1);

    private readonly Lock turn = new();
    private int faults;
    private int pauses;
    private bool probing;
    private DateTimeOffset openUntil = DateTimeOffset.MinValue;
    private DateTimeOffset askedUntil = DateTimeOffset.MinValue;

    /// <summary>Why it is open, for a person; null while it is closed.</summary>
    public string? Reason { get; private set; }

    /// <summary>When it lets the next request pass, while it is open.</summary>
    public DateTimeOffset OpenUntil
    {
        get
        {
            lock (turn)
            {
                return openUntil;
            }
        }
    }

    /// <summary>The instant before which the EHR has asked for no request at all; null when it has not, or that instant is past.</summary>
    /// <param name="now">Now.</param>
    public DateTimeOffset? AskedUntil(DateTimeOffset now)
    {
        lock (turn)
        {
            return now < askedUntil ? askedUntil : null;
        }
    }

    /// <summary>May a request go? After a pause one goes alone, and the others wait a minute for what becomes of it.</summary>
    /// <param name="now">Now.</param>
    /// <param name="until">When to ask again, when it may not.</param>
    public bool MayPass(DateTimeOffset now, out DateTimeOffset until)
    {
        lock (turn)
        {
            until = openUntil;
            if (Reason is null)
            {
                return true;
            }
            if (now < openUntil)
            {
                return false;
            }
            openUntil = now + ProbeTime;
            return probing = true;
        }
    }

    /// <summary>A whole answer came that is no fault of the EHR.</summary>
    /// <param name="now">Now.</param>
    public void Worked(DateTimeOffset now)
    {
        lock (turn)
        {
            // A request that was under way when the EHR asked for peace does not take back what it asked.
            if (now < askedUntil)
            {
                return;
            }
            (faults, pauses, probing, Reason) = (0, 0, false, null);
        }
    }

    /// <summary>The EHR did not work.</summary>
    /// <param name="now">Now.</param>
    /// <param name="retryAfter">The instant before which it wants no request; null when it said nothing.</param>
    /// <param name="reason">For a person.</param>
    public void Failed(DateTimeOffset now, DateTimeOffset? retryAfter, string reason)
    {
        lock (turn)
        {
            faults++;
            if (retryAfter is { } asked && asked > now)
            {
                // Answers of requests that went side by side are read in any order: the longest wait holds.
                askedUntil = asked > askedUntil ? asked : askedUntil;
                openUntil = askedUntil;
                (probing, Reason) = (false, reason);
            }
            else if (probing || (Reason is null && faults >= FaultsInARow))
            {
                // Requests that were under way when it opened come to the same end and do not lengthen the pause.
                var pause = firstPause.TotalSeconds * Math.Pow(2, Math.Min(pauses, 10));
                openUntil = now + TimeSpan.FromSeconds(Math.Min(pause, LongestPause.TotalSeconds));
                pauses++;
                (probing, Reason) = (false, reason);
            }
        }
    }
}
