using System.Diagnostics;
using CcmFhir.Load;

namespace CcmFhir.Faults;

/// <summary>A file system of the test's own, where the machine lets it mount one: a container without privileges does not.</summary>
internal sealed class Disk : IDisposable
{
    private readonly string folder;
    private readonly string? image;

    private Disk(string folder, string? image) => (this.folder, this.image) = (folder, image);

    private string Filler => Path.Combine(folder, "filler");

    /// <summary>Mounts a disk in memory.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="megabytes">How much it holds.</param>
    /// <returns>Null where that is not permitted.</returns>
    public static async Task<Disk?> MemoryAsync(string folder, int megabytes) =>
        await RunAsync("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", folder) == 0
            ? new Disk(folder, null)
            : null;

    /// <summary>Mounts an ext4 file system in a file.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="image">The file, which is made.</param>
    /// <returns>Null where that is not permitted.</returns>
    public static async Task<Disk?> Ext4Async(string folder, string image)
    {
        await using (var file = new FileStream(image, FileMode.CreateNew))
        {
            file.SetLength(64 * 1024 * 1024);
        }
        return
            await RunAsync("mkfs.ext4", "-q", image) == 0 && await RunAsync("mount", "-o", "loop", image, folder) == 0
            ? new Disk(folder, image)
            : null;
    }

    /// <summary>Leaves not one byte free.</summary>
    public void Fill()
    {
        var block = new byte[64 * 1024];
        using var file = new FileStream(Filler, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        for (var size = block.Length; size > 0; )
        {
            try
            {
                file.Write(block, 0, size);
            }
            catch (IOException)
            {
                size /= 2;
            }
        }
    }

    /// <summary>Makes room again.</summary>
    public void Free() => File.Delete(Filler);

    /// <summary>What the kernel does when the disk under ext4 fails: nothing is written any more, whoever has files open.</summary>
    public async Task AbortAsync() => (await RunAsync("mount", "-o", "remount,abort", folder)).ShouldBe(0);

    /// <summary>Mounts it anew, as after a repair.</summary>
    public async Task MountAgainAsync()
    {
        (await RunAsync("umount", folder)).ShouldBe(0);
        // 1: errors were corrected, which is what it was called for.
        (await RunAsync("e2fsck", "-p", "-f", image!)).ShouldBeLessThanOrEqualTo(1);
        (await RunAsync("mount", "-o", "loop", image!, folder)).ShouldBe(0);
    }

    /// <summary>Runs a program of the system.</summary>
    /// <returns>Its exit code; -1 when there is none of that name.</returns>
    public static async Task<int> RunAsync(string program, params string[] arguments)
    {
        try
        {
            var (code, _, errors) = await ProgramRun.RunAsync(program, arguments);
            if (code != 0)
            {
                TestContext.Current.TestOutputHelper?.WriteLine($"{program}: {errors}");
            }
            return code;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return -1;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        using var unmount = Process.Start("umount", ["--lazy", folder]);
        unmount.WaitForExit();
    }
}
