using System.Collections.Concurrent;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(CcmFhir.Tests.Pages.Browser))]

namespace CcmFhir.Tests.Pages;

/// <summary>Debian's Chromium without a window, one for all tests; each page has a profile of its own.</summary>
public sealed class Browser : IAsyncLifetime
{
    private const string Executable = "/usr/bin/chromium";
    private readonly SemaphoreSlim turn = new(1, 1);
    private IPlaywright? playwright;
    private IBrowser? chromium;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (chromium is not null)
        {
            await chromium.DisposeAsync();
        }
        playwright?.Dispose();
        turn.Dispose();
    }

    /// <summary>A new page.</summary>
    /// <param name="root">Where relative addresses start.</param>
    /// <param name="width">Width in CSS pixels.</param>
    /// <param name="dark">The user prefers dark.</param>
    /// <param name="script">False: JavaScript is turned off.</param>
    public async Task<OpenPage> OpenAsync(Uri root, int width = 1280, bool dark = false, bool script = true)
    {
        var context = await (await StartedAsync()).NewContextAsync(
            new BrowserNewContextOptions
            {
                BaseURL = root.ToString(),
                ViewportSize = new ViewportSize { Width = width, Height = 900 },
                ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light,
                JavaScriptEnabled = script,
                Locale = "en-US",
            }
        );
        context.SetDefaultTimeout((float)OpenPage.Patience.TotalMilliseconds);
        context.SetDefaultNavigationTimeout((float)OpenPage.Patience.TotalMilliseconds);
        return new OpenPage(await context.NewPageAsync());
    }

    private async Task<IBrowser> StartedAsync()
    {
        await turn.WaitAsync();
        try
        {
            File.Exists(Executable).ShouldBeTrue($"{Executable} is needed: apt-get install chromium");
            playwright ??= await Playwright.CreateAsync();
            return chromium ??= await playwright.Chromium.LaunchAsync(
                new BrowserTypeLaunchOptions
                {
                    ExecutablePath = Executable,
                    Args =
                    [
                        "--no-sandbox",
                        "--disable-gpu",
                        "--disable-quic",
                        "--no-first-run",
                        "--disable-background-networking",
                        "--disable-component-update",
                        "--disable-sync",
                    ],
                }
            );
        }
        finally
        {
            turn.Release();
        }
    }
}

/// <summary>A page under watch: what its console complains of (a policy that it breaks, a script that fails), and whom it asks.</summary>
public sealed class OpenPage : IAsyncDisposable
{
    /// <summary>How long anything of a page is waited for. A busy machine is slow, not wrong: patience costs nothing where pages come at once.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private static readonly AxeRunOptions Wcag = new()
    {
        RunOnly = new RunOnlyOptions
        {
            Type = "tag",
            Values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        },
    };

    private readonly ConcurrentQueue<string> complaints = new();
    private readonly ConcurrentDictionary<string, bool> hosts = new(StringComparer.Ordinal);

    public OpenPage(IPage page)
    {
        Page = page;
        page.PageError += (_, fault) => complaints.Enqueue(fault);
        page.Console += (_, message) =>
        {
            // Chromium says of every answer that is not 2xx that it failed to load; the tests look at the status themselves.
            if (
                message.Type is "error" or "warning"
                && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal)
            )
            {
                complaints.Enqueue(message.Text);
            }
        };
        page.Request += (_, request) => hosts[new Uri(request.Url).Authority] = true;
    }

    public IPage Page { get; }

    public IReadOnlyCollection<string> Complaints => complaints;

    public IReadOnlyCollection<string> Hosts => [.. hosts.Keys];

    /// <summary>Goes there, and gives the status.</summary>
    public async Task<int> GoAsync(string address) => (await Page.GotoAsync(address))!.Status;

    /// <summary>Goes there again and again until something is on the page that the server works out beside its answers.</summary>
    public async Task GoUntilAsync(string address, string selector)
    {
        var began = TimeProvider.System.GetTimestamp();
        do
        {
            TimeProvider.System.GetElapsedTime(began).ShouldBeLessThan(Patience, $"{selector} never came");
            await GoAsync(address);
        } while (await Page.Locator(selector).CountAsync() == 0);
    }

    /// <summary>Clicks on what leads to another page, and waits until that has come whole: Playwright's own click waits only until the page begins,
    /// and much that is asked of a page waits for nothing.</summary>
    public async Task ClickAsync(string selector)
    {
        var whole = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void loaded(object? sender, IPage page) => whole.TrySetResult();
        Page.Load += loaded;
        try
        {
            await Page.ClickAsync(selector);
            await whole.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
        }
        finally
        {
            Page.Load -= loaded;
        }
    }

    /// <summary>What axe finds on the page as it stands, in light and in dark, in words.</summary>
    public async Task<IReadOnlyList<string>> ViolationsAsync()
    {
        var found = new List<string>();
        foreach (var scheme in (ColorScheme[])[ColorScheme.Light, ColorScheme.Dark])
        {
            await Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = scheme });
            found.AddRange(
                (await Page.RunAxe(Wcag)).Violations.Select(violation =>
                    $"{scheme}: {violation.Id}: {violation.Help}: {string.Join(" | ", violation.Nodes.Take(3).Select(node => node.Html))}"
                )
            );
        }
        await Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Null });
        return found;
    }

    public async ValueTask DisposeAsync() => await Page.Context.DisposeAsync();
}
